/** Patient records as Synthea makes them are sound R4. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { parseJson, type Resource } from '../../../src/fhir/json.ts'
import { validateStructure } from '../../../src/fhir/validate/structure.ts'

const FOLDER = join(import.meta.dirname, '../../../../shared/data/synthea-2019')
const found = existsSync(FOLDER)
const files = found ? readdirSync(FOLDER).filter(file => file.endsWith('.json.gz')) : []

describe.skipIf(!found)(
  `Synthea bundles${found ? '' : ' (skipped: ../shared/data/synthea-2019 is not there)'}`,
  () => {
    it('are there', () => {
      expect(files.length).toBe(22)
    })

    it('have no fault', () => {
      const faults = files.flatMap(file => {
        const bundle = parseJson(gunzipSync(readFileSync(join(FOLDER, file))).toString('utf8')) as Resource
        return validateStructure(bundle, 'Bundle').map(
          issue => `${file} ${issue.expression}: ${issue.diagnostics}`,
        )
      })
      expect(faults).toEqual([])
    })
  },
)
