/** The settings of tests: those of a server that was told nothing, but for what a test names. */
import { readConfig, type Settings, settingsOf } from '../src/config.ts'

export const BASE = 'http://127.0.0.1:8080/fhir'

export type SomeSettings = Partial<Omit<Settings, 'limits'>> & { limits?: Partial<Settings['limits']> }

/** Returns the settings; small enough for limits to be met, and with no search so slow that it is logged. */
export function testSettings({ limits, ...others }: SomeSettings = {}): Settings {
  const standard = settingsOf(readConfig({}), 8080)
  const own = { entries: 100, pageDefault: 20, slowMs: 60_000 }
  return { ...standard, baseUrl: BASE, ...others, limits: { ...standard.limits, ...own, ...limits } }
}
