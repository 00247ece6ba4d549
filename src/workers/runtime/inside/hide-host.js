// Evaluated before the customer's modules, which then find nothing of the host in `env`.
import { env } from 'cloudflare:workers'

export const hostActions = env.POSTHORN_HOST
delete env.POSTHORN_HOST
