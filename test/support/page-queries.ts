/** The queries of observability-metrics-graphql.md as they are printed there, each with the variables that it declares;
 *  `$zoneTag` is the test's. The page's own days are those of its example. */
export interface PageQuery {
  readonly name: string
  readonly query: string
  readonly variables: { readonly start: string; readonly end: string }
}

const DAYS = { start: '2024-07-15', end: '2024-07-30' }
const MOMENTS = { start: '2024-07-15T00:00:00Z', end: '2024-07-30T23:59:59Z' }

export const PAGE_QUERIES: readonly PageQuery[] = [
  {
    name: 'Email sending operations',
    variables: DAYS,
    query: `query EmailSendingByStatus($zoneTag: string!, $start: Date!, $end: Date!) {
  viewer {
    zones(filter: { zoneTag: $zoneTag }) {
      emailSendingAdaptiveGroups(
        filter: { date_geq: $start, date_leq: $end }
        limit: 10000
        orderBy: [date_DESC]
      ) {
        count
        dimensions {
          date
          status
        }
      }
    }
  }
}`,
  },
  {
    name: 'Delivery failure analysis',
    variables: DAYS,
    query: `query EmailDeliveryFailures($zoneTag: string!, $start: Date!, $end: Date!) {
  viewer {
    zones(filter: { zoneTag: $zoneTag }) {
      emailSendingAdaptiveGroups(
        filter: { date_geq: $start, date_leq: $end, status: "deliveryFailed" }
        limit: 10000
        orderBy: [date_DESC]
      ) {
        count
        dimensions {
          date
          errorCause
          sendingDomain
        }
      }
    }
  }
}`,
  },
  {
    name: 'Hourly volume',
    variables: MOMENTS,
    query: `query EmailSendingHourlyVolume($zoneTag: string!, $start: Time!, $end: Time!) {
  viewer {
    zones(filter: { zoneTag: $zoneTag }) {
      emailSendingAdaptiveGroups(
        filter: { datetimeHour_geq: $start, datetimeHour_leq: $end }
        limit: 10000
        orderBy: [datetimeHour_ASC]
      ) {
        count
        dimensions {
          datetimeHour
          status
        }
      }
    }
  }
}`,
  },
  {
    name: 'Individual email events',
    variables: MOMENTS,
    query: `query RecentEmailEvents($zoneTag: string!, $start: Time!, $end: Time!) {
  viewer {
    zones(filter: { zoneTag: $zoneTag }) {
      emailSendingAdaptive(
        filter: { datetime_geq: $start, datetime_leq: $end }
        limit: 50
        orderBy: [datetime_DESC]
      ) {
        datetime
        from
        to
        subject
        status
        eventType
        sendingDomain
        messageId
        errorCause
        errorDetail
        dkim
        dmarc
        spf
        isSpam
      }
    }
  }
}`,
  },
  {
    name: 'Email routing operations',
    variables: DAYS,
    query: `query EmailRoutingByStatus($zoneTag: string!, $start: Date!, $end: Date!) {
  viewer {
    zones(filter: { zoneTag: $zoneTag }) {
      emailRoutingAdaptiveGroups(
        filter: { date_geq: $start, date_leq: $end }
        limit: 10000
        orderBy: [date_DESC]
      ) {
        count
        dimensions {
          date
          status
        }
      }
    }
  }
}`,
  },
  {
    name: 'Routing rule activity',
    variables: DAYS,
    query: `query EmailRoutingRuleActivity($zoneTag: string!, $start: Date!, $end: Date!) {
  viewer {
    zones(filter: { zoneTag: $zoneTag }) {
      emailRoutingAdaptiveGroups(
        filter: { date_geq: $start, date_leq: $end }
        limit: 10000
        orderBy: [date_DESC]
      ) {
        count
        dimensions {
          date
          ruleMatched
          action
        }
      }
    }
  }
}`,
  },
  {
    name: 'Individual routing events',
    variables: MOMENTS,
    query: `query RecentRoutingEvents($zoneTag: string!, $start: Time!, $end: Time!) {
  viewer {
    zones(filter: { zoneTag: $zoneTag }) {
      emailRoutingAdaptive(
        filter: { datetime_geq: $start, datetime_leq: $end }
        limit: 50
        orderBy: [datetime_DESC]
      ) {
        datetime
        from
        to
        subject
        status
        action
        ruleMatched
        messageId
        errorDetail
        dkim
        dmarc
        spf
        isSpam
      }
    }
  }
}`,
  },
]
