// Loaded into processes that tests start: their clock begins at TEST_CLOCK, and SIGUSR2 puts it four hours forward.
import { isMainThread } from 'node:worker_threads'

const RealDate = Date
const FOUR_HOURS = 14_400_000
let offset = RealDate.parse(process.env.TEST_CLOCK) - Number(process.env.TEST_CLOCK_AT)

class ShiftedDate extends RealDate {
  constructor(...parts) {
    super(...(parts.length === 0 ? [RealDate.now() + offset] : parts))
  }

  static now() {
    return RealDate.now() + offset
  }
}

globalThis.Date = ShiftedDate
if (isMainThread)
  process.on('SIGUSR2', () => {
    offset += FOUR_HOURS
    process.stdout.write('The clock is four hours on.\n')
  })
