/** Settings of the push to a Care gateway, under the names and with the defaults that its plugin has; but no address is built in. */
import { baseUrl, type Setting } from './setting.ts'

export interface CareGatewaySettings {
  /** Undefined: off. */
  url: string | undefined
  enabled: boolean
  /** False only logs. */
  send: boolean
  timeoutMs: number
}

const truth = (value: string): boolean | undefined =>
  /^(?:true|on|1)$/i.test(value) ? true : /^(?:false|off|0)$/i.test(value) ? false : undefined

export const CARE_GATEWAY_SETTINGS = [
  {
    env: 'CCM_UHI_NOTIFICATION_ENDPOINT',
    values: 'http(s) URL',
    default: '',
    meaning: 'Where patients with an ABHA are told by push; without it nothing is pushed.',
    read: baseUrl,
  },
  {
    env: 'CCM_UHI_NOTIFICATION_ENABLED',
    values: 'true or false',
    default: 'true',
    meaning: '`false` makes no push messages although there is an endpoint.',
    read: truth,
  },
  {
    env: 'CCM_UHI_NOTIFICATION_USE_SMS',
    values: 'true or false',
    default: 'false',
    meaning: '`false` only logs push messages, by id and event; `true` sends them.',
    read: truth,
  },
  {
    env: 'CCM_UHI_NOTIFICATION_TIMEOUT',
    values: 'seconds',
    default: '5',
    meaning: 'Time that the gateway has to answer.',
    read: value => (/^(?:[1-9]|[1-5][0-9]|60)$/.test(value) ? Number(value) : undefined),
  },
] as const satisfies readonly Setting[]

type Name = (typeof CARE_GATEWAY_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const careGatewayOf = (value: <T>(name: Name) => T): CareGatewaySettings => ({
  url: value('CCM_UHI_NOTIFICATION_ENDPOINT'),
  enabled: value('CCM_UHI_NOTIFICATION_ENABLED'),
  send: value('CCM_UHI_NOTIFICATION_USE_SMS'),
  timeoutMs: value<number>('CCM_UHI_NOTIFICATION_TIMEOUT') * 1000,
})
