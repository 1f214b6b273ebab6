/** Settings of the OpenCare facade, mounted at `/api/v1`. */
import { choice, type Setting } from './setting.ts'

export interface OpenCareSettings {
  /** Whether it is mounted. */
  enabled: boolean
}

export const OPENCARE_SETTINGS = [
  {
    env: 'NADI_OPENCARE',
    values: 'on or off',
    default: 'off',
    meaning: '`on` serves the appointment API of OpenCare at `/api/v1`.',
    read: choice('on', 'off'),
  },
] as const satisfies readonly Setting[]

type Name = (typeof OPENCARE_SETTINGS)[number]['env']

/** Returns the settings of their values. */
export const openCareOf = (value: <T>(name: Name) => T): OpenCareSettings => ({
  enabled: value<string>('NADI_OPENCARE') === 'on',
})
