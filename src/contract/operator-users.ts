import { z } from 'zod'
import { operation } from './operation.ts'
import { newPassword } from './session.ts'

/** `/operator/v1/users`: people who sign in to the dashboard. */
export const setUserRequest = z.strictObject({
  email: z.string().min(3).max(320),
  password: newPassword
    .optional()
    .describe('Of a new user one is made where there is none; a new one ends the sessions of the user'),
  operator: z.boolean().optional().describe('Whether the user may do what the operator’s token may'),
  account_id: z
    .string()
    .regex(/^[0-9a-fA-F]{32}$/, 'the id of an account')
    .optional()
    .describe('An account that the user is to administer'),
})
export type SetUserRequest = z.output<typeof setUserRequest>

const operatorUser = z
  .object({
    id: z.string(),
    email: z.string(),
    operator: z.boolean(),
    created: z.boolean().describe('False where there was a user of this address'),
    password: z.string().nullable().describe('The one that was made, shown here and nowhere else'),
  })
  .meta({ id: 'OperatorUser' })
export type OperatorUser = z.output<typeof operatorUser>

export const setUser = operation({
  id: 'users.set',
  method: 'POST',
  path: '/users',
  summary: 'Makes somebody who can sign in, or changes what is given of somebody who can.',
  permission: 'none',
  scope: 'installation',
  body: setUserRequest.meta({ examples: [{ email: 'operator@example.com', operator: true }] }),
  result: operatorUser,
})

export const operatorUserOperations = [setUser]
