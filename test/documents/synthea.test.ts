/** Documents of records that nobody made for them: two Synthea patients, with the identifiers that NRCeS wants added. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildDocument } from '../../src/documents/build.ts'
import { HI_TYPES } from '../../src/documents/hi-types.ts'
import type { DocumentRequest } from '../../src/documents/request.ts'
import { FhirError } from '../../src/fhir/error.ts'
import { parseJson, type Resource, writeJson } from '../../src/fhir/json.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { testContext } from '../interactions/context.ts'
import { hapi, hapiMessages, OFFICIAL } from '../profiles/hapi.ts'
import { WHY_NOT } from '../profiles/hapi-install.ts'

const FOLDER = join(import.meta.dirname, '../../../shared/data/synthea-2019')

/** Returns the Bundles of the hospitals, the practitioners and the two smallest patients. */
function bundles(): Resource[] {
  const size = (name: string) => statSync(join(FOLDER, name)).size
  const all = readdirSync(FOLDER).filter(name => name.endsWith('.json.gz'))
  const general = all.filter(name => name.startsWith('0-')).sort()
  const patients = all.filter(name => !name.startsWith('0-')).sort((a, b) => size(a) - size(b))
  return [...general, ...patients.slice(0, 2)].map(name =>
    completed(JSON.parse(gunzipSync(readFileSync(join(FOLDER, name))).toString())),
  )
}

/** Types of identifiers, dosages, and interpreters of reports: Synthea does not say them, and a document needs them. */
// biome-ignore lint/suspicious/noExplicitAny: any resource may come
function completed(bundle: any): Resource {
  const type = {
    coding: [
      { system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PRN', display: 'Provider number' },
    ],
  }
  for (const { resource } of bundle.entry) {
    if (['Practitioner', 'Organization'].includes(resource.resourceType))
      for (const identifier of resource.identifier) identifier.type ??= type
    if (resource.resourceType === 'MedicationRequest') resource.dosageInstruction ??= [{ text: 'As told' }]
    if (resource.resourceType === 'DiagnosticReport') {
      resource.conclusion ??= 'See the results.'
      if (resource.performer) resource.resultsInterpreter ??= resource.performer
    }
  }
  return parseJson(JSON.stringify(bundle)) as Resource
}

describe.runIf(existsSync(FOLDER))(
  `documents of Synthea records${existsSync(FOLDER) ? '' : ' (skipped: ../shared/data is not there)'}`,
  () => {
    const built: string[] = []
    const refused: string[] = []
    beforeAll(async () => {
      const ctx = await testContext({ limits: { entries: 20_000 } })
      const requests: DocumentRequest[] = []
      for (const bundle of bundles())
        for (const { response } of await transaction(ctx, bundle)) {
          const [, type, id] = /(Encounter|Patient)\/([^/]+)\/_history/.exec(response!.location!) ?? []
          for (const hiType of HI_TYPES)
            if (type === 'Encounter') requests.push({ hiType, encounter: id! })
            else if (type === 'Patient') requests.push({ hiType, patient: id!, start: '2000' })
        }
      for (const request of requests)
        try {
          built.push(writeJson((await buildDocument(ctx, request)).bundle))
        } catch (error) {
          if (!(error instanceof FhirError)) throw error
          expect(error.status, error.message).toBe(422)
          refused.push(error.message)
        }
    }, 120_000)

    it('are built where the record has what they are of, and refused with a sentence where not', () => {
      expect(built.length).toBeGreaterThan(40)
      for (const message of refused) expect(message).toMatch(/^[\w/-]+: |^\d+ DiagnosticReport resources fit/)
    })

    it.runIf(hapi)(
      `have no error for HAPI's validator on NRCeS's own definitions${hapi ? '' : ` (skipped: ${WHY_NOT})`}`,
      async () => {
        // Every other one: a second opinion takes its time.
        const found = await hapiMessages(
          built.filter((_, index) => index % 2 === 0),
          OFFICIAL,
        )
        const errors = found.flat().filter(({ severity }) => severity === 'error' || severity === 'fatal')
        expect(errors).toEqual([])
      },
      180_000,
    )
  },
)
