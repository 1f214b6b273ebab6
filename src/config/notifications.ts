/** Settings of messages: what is told, by which channels. Secrets of channels stand here and in no log. */
import { CHANNEL_SETTINGS, type ChannelSettings, channelSettingsOf } from './channels.ts'
import { choice, type Setting } from './setting.ts'

export interface NotificationSettings {
  /** Whether events make messages at all. */
  enabled: boolean
  channels: ChannelSettings
}

export const NOTIFICATION_SETTINGS = [
  {
    env: 'NADI_NOTIFICATIONS',
    values: 'on or off',
    default: 'on',
    meaning:
      '`on` writes a Communication for each person who is to be told of an event, and delivers it by the channels that are set up.',
    read: choice('on', 'off'),
  },
  ...CHANNEL_SETTINGS,
] as const satisfies readonly Setting[]

type Name = (typeof NOTIFICATION_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const notificationsOf = (value: <T>(name: Name) => T): NotificationSettings => ({
  enabled: value<string>('NADI_NOTIFICATIONS') === 'on',
  channels: channelSettingsOf(value),
})
