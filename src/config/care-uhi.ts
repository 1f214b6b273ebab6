/** Settings of the Care UHI facade, mounted at `/uhi`. */
import { choice, type Setting } from './setting.ts'

export interface CareUhiSettings {
  /** Whether it is mounted. */
  enabled: boolean
}

export const CARE_UHI_SETTINGS = [
  {
    env: 'NADI_CARE_UHI',
    values: 'on or off',
    default: 'off',
    meaning:
      '`on` serves the appointment API of the Care UHI plugin at `/uhi`. It has no sign-in of its own.',
    read: choice('on', 'off'),
  },
] as const satisfies readonly Setting[]

type Name = (typeof CARE_UHI_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const careUhiOf = (value: <T>(name: Name) => T): CareUhiSettings => ({
  enabled: value<string>('NADI_CARE_UHI') === 'on',
})
