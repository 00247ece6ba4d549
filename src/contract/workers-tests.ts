import { z } from 'zod'
import { operation } from './operation.ts'
import { EDIT, SCRIPT } from './workers.ts'

/** A message that a Worker is tried with: its `email()` runs as it would, its bindings are the real ones, and what it
 *  forwards and replies goes to the inbox of the instance alone. Not the original's. */

const exception = z.object({
  name: z.string(),
  message: z.string(),
  stack: z.string().optional(),
  timestamp: z.number().describe('Milliseconds since 1970'),
})

/** In the names of `/cdn-cgi/handler/email?format=json` of wrangler's local server. */
const report = z
  .object({
    outcome: z.string().describe('`ok`, also of a message that was rejected; else what ended the handler'),
    rejectReason: z.string().describe('Of `setReject()`').optional(),
    error: z.string().describe('What the handler failed with').optional(),
    forwards: z.array(
      z.object({
        recipient: z.string(),
        headers: z.array(z.array(z.string())).describe('Names and values that were added'),
        messageId: z.string(),
      }),
    ),
    replies: z.array(z.object({ messageId: z.string(), sender: z.string(), raw: z.string() })),
    events: z.array(z.object({ type: z.string(), timestamp: z.string(), messageId: z.string().optional() })),
    logs: z.array(z.object({ message: z.array(z.unknown()), level: z.string(), timestamp: z.number() })),
    exceptions: z.array(exception),
  })
  .meta({ id: 'WorkerTestReport' })

export type WorkerTestReport = z.output<typeof report>

export const testMessage = operation({
  ...EDIT,
  id: 'workers.test_message',
  method: 'POST',
  path: `${SCRIPT}/test-message`,
  summary:
    'Hands a message to the email() of a Worker: what it forwards and replies is shown, and reaches nobody; its bindings are the real ones.',
  body: z
    .object({
      from: z.string().max(1000).describe('The envelope’s sender; `<>` for none'),
      to: z.string().max(1000).describe('The envelope’s recipient'),
      raw: z.string().min(1, 'a message').describe('RFC 5322, with a Message-ID'),
    })
    .meta({
      examples: [
        {
          from: 'someone@example.com',
          to: 'support@yourdomain.com',
          raw: 'From: someone@example.com\r\nTo: support@yourdomain.com\r\nSubject: Hello\r\nMessage-ID: <1@example.com>\r\n\r\nHello!\r\n',
        },
      ],
    }),
  result: report,
})

export const workerTestOperations = [testMessage]
