import {
  AtIcon,
  BellIcon,
  BroadcastIcon,
  ChartBarIcon,
  ClockCounterClockwiseIcon,
  EnvelopeSimpleIcon,
  FunctionIcon,
  GaugeIcon,
  HeartbeatIcon,
  HouseIcon,
  type Icon,
  KeyIcon,
  ListBulletsIcon,
  PaperPlaneTiltIcon,
  PathIcon,
  ProhibitIcon,
  QueueIcon,
  TrayIcon,
  UsersIcon,
} from '@phosphor-icons/react'
import type { Session } from '../api/session.ts'

export interface NavigationGroup {
  readonly label: string
  readonly entries: readonly NavigationEntry[]
}

export interface NavigationEntry {
  readonly label: string
  readonly href: string
  readonly icon: Icon
}

/** Every place one can go to, for the side bar and for the command palette. */
export function navigation(session: Session, accountId: string): readonly NavigationGroup[] {
  const own = (path: string) => `/${accountId}${path}`
  const isAdmin = session.accounts.some(({ id, role }) => id === accountId && role === 'admin')
  const groups: NavigationGroup[] = [
    {
      label: 'Home',
      entries: [
        { label: 'Overview', href: own('/overview'), icon: HouseIcon },
        ...(session.service.inbox ? [{ label: 'Inbox', href: '/inbox', icon: TrayIcon }] : []),
      ],
    },
    {
      label: 'Email Sending',
      entries: [
        { label: 'Domains', href: own('/sending/domains'), icon: PaperPlaneTiltIcon },
        { label: 'Analytics', href: own('/sending/analytics'), icon: ChartBarIcon },
        { label: 'Activity log', href: own('/sending/activity'), icon: ListBulletsIcon },
        { label: 'Suppressions', href: own('/sending/suppressions'), icon: ProhibitIcon },
        { label: 'Send a test', href: own('/sending/test'), icon: EnvelopeSimpleIcon },
      ],
    },
    {
      label: 'Email Routing',
      entries: [
        { label: 'Domains', href: own('/routing/domains'), icon: PathIcon },
        { label: 'Destination addresses', href: own('/routing/addresses'), icon: AtIcon },
        { label: 'Email Workers', href: own('/workers'), icon: FunctionIcon },
        { label: 'Analytics', href: own('/routing/analytics'), icon: ChartBarIcon },
        { label: 'Activity log', href: own('/routing/activity'), icon: ListBulletsIcon },
      ],
    },
    {
      label: 'Account',
      entries: [
        ...(isAdmin
          ? [
              { label: 'API tokens', href: own('/account/tokens'), icon: KeyIcon },
              { label: 'Members', href: own('/account/members'), icon: UsersIcon },
            ]
          : []),
        { label: 'Webhooks', href: own('/account/webhooks'), icon: BellIcon },
        { label: 'Event subscriptions', href: own('/account/subscriptions'), icon: BroadcastIcon },
        ...(isAdmin
          ? [{ label: 'Audit log', href: own('/account/audit-log'), icon: ClockCounterClockwiseIcon }]
          : []),
        { label: 'Usage and limits', href: own('/account/usage'), icon: GaugeIcon },
      ],
    },
  ]
  if (session.user?.operator) {
    groups.push({
      label: 'Operator',
      entries: [
        { label: 'Queue', href: '/installation/queue', icon: QueueIcon },
        { label: 'Health', href: '/installation/health', icon: HeartbeatIcon },
      ],
    })
  }
  return groups
}
