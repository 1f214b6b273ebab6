/** The channel of a server that has no other: a line in the log with ids, event and channel, never the text, the address or a name. */
import type { Log } from '../../lib/log.ts'
import type { Channel } from '../channel.ts'

/** Returns the channel; it accepts whatever it is given. `as` is the channel that it stands for. */
export const createLogChannel = (log: Log, as: Pick<Channel, 'name' | 'reaches'> = LOG): Channel => ({
  ...as,
  send: ({ key, event, language }) => {
    log.info('message logged, not sent', { key, event, channel: as.name, language })
    return Promise.resolve({ is: 'accepted' })
  },
})

const LOG = { name: 'log', reaches: 'none' } as const
