import { z } from 'zod'

/** Why an account may send what it may. */
export const quotaReason = z
  .object({
    code: z.enum([
      'new',
      'grown',
      'ceiling',
      'unused',
      'hard-bounces',
      'complaints',
      'operator',
      'no-quotas',
    ]),
    detail: z.string(),
    since: z.string().nullable().describe('Since which day (UTC) it has been so; null where it always was'),
  })
  .describe('Why the quota is what it is')
