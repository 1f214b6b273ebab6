import type { Log } from '../../src/context.ts'

/** A log that nobody reads. */
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
