// Evaluated before the customer's modules, which then find nothing of the host in `env`.
import { env } from 'cloudflare:workers'

export const hostActions = env['posthorn:host']
delete env['posthorn:host']
