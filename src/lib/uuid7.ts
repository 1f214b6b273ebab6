/** Ids that sort by the time of their making: UUID version 7. https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7 */

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
/** Random bytes are fetched in blocks, because each fetch costs more than an id does. */
const BLOCK = 1024
/** Above the counter's random start, so that it never leaves its 12 bits within one millisecond's first 2048 ids. */
const COUNTER_START = 0x7ff
const COUNTER_MAX = 0xfff

/**
 * Returns a maker of lower-case UUIDs, each greater than the one before it, also within one millisecond and when the clock steps back.
 * `clock` gives ms since 1970; `random` fills and returns the bytes it is given.
 */
export function uuid7(
  clock: () => number,
  random: (bytes: Uint8Array<ArrayBuffer>) => unknown,
): () => string {
  const block = new Uint8Array(BLOCK)
  let used = BLOCK
  let time = 0
  let counter = 0

  return () => {
    if (used + 10 > BLOCK) {
      random(block)
      used = 0
    }
    const at = used
    used += 10
    const now = clock()
    if (now > time) {
      time = now
      counter = ((block[at]! << 8) | block[at + 1]!) & COUNTER_START
    } else if (++counter > COUNTER_MAX) {
      time++
      counter = 0
    }
    const high = Math.floor(time / 0x10000)
    const hex = (shift: number) => HEX[(high >>> shift) & 0xff]
    const rest = (i: number) => HEX[block[at + i]!]
    return (
      `${hex(24)}${hex(16)}${hex(8)}${hex(0)}-${HEX[(time >>> 8) & 0xff]}${HEX[time & 0xff]}` +
      `-${HEX[0x70 | (counter >>> 8)]}${HEX[counter & 0xff]}-${HEX[0x80 | (block[at + 2]! & 0x3f)]}${rest(3)}` +
      `-${rest(4)}${rest(5)}${rest(6)}${rest(7)}${rest(8)}${rest(9)}`
    )
  }
}
