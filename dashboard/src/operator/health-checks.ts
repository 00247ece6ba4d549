/** What a part of the service is to whoever runs it. */
interface HealthCheck {
  readonly title: string
  /** What is looked at. */
  readonly about: string
  /** What to do where it is not well. */
  readonly remedy: string
}

const REMEDY_OF_DOOR =
  'Nobody accepts connections at its port. Read the log from the last start on, and start the process again.'

const CHECKS: Readonly<Record<string, HealthCheck>> = {
  store: {
    title: 'Database',
    about: 'It answers, and takes writes.',
    remedy:
      'Nothing is accepted or delivered until it does. See whether the disk of the data folder is full or cannot be written, and with PostgreSQL whether it runs and is reached. What waits goes on by itself then.',
  },
  'door:submission': {
    title: 'SMTP submission',
    about: 'Programs can connect to send.',
    remedy: REMEDY_OF_DOOR,
  },
  'door:mx': { title: 'MX', about: 'Mail from elsewhere can come in.', remedy: REMEDY_OF_DOOR },
  projector: {
    title: 'History and webhooks',
    about: 'What happens to mail reaches the activity log, analytics, webhooks and queues.',
    remedy:
      'Mail goes on, and nothing is lost: they are late. After a rush it catches up by itself; posthorn_outbox_oldest_seconds of /metrics says how far it is. Where it does not, look for “projector” in the log, and see whether the disk or the database is slow.',
  },
}

export function healthCheck(part: string): HealthCheck {
  return CHECKS[part] ?? { title: part, about: '', remedy: 'Read the log of the process.' }
}
