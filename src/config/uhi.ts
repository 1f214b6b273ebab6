/** Settings of UHI itself, mounted at `/hspa`. */
import { choice, type Setting } from './setting.ts'

export interface UhiSettings {
  /** Whether it is mounted. */
  enabled: boolean
}

export const UHI_SETTINGS = [
  {
    env: 'NADI_UHI',
    values: 'on or off',
    default: 'off',
    meaning: '`on` serves UHI as a provider platform (HSPA) at `/hspa`.',
    read: choice('on', 'off'),
  },
] as const satisfies readonly Setting[]

type Name = (typeof UHI_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const uhiOf = (value: <T>(name: Name) => T): UhiSettings => ({
  enabled: value<string>('NADI_UHI') === 'on',
})
