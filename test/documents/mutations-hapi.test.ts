/**
 * HAPI's validator, on NRCeS's own definitions, agrees: it has no error for the finished documents, and one for each broken document
 * unless the case says why not; and where it has one, ours has.
 */
import { describe, expect, it } from 'vitest'
import { writeJson } from '../../src/fhir/json.ts'
import { official } from '../profiles/definitions.ts'
import { hapi, hapiMessages, OFFICIAL } from '../profiles/hapi.ts'
import { documents, mutations } from './mutations.ts'

const here = hapi && official

describe.skipIf(!here)(
  `HAPI's validator${here ? '' : ' (skipped: ../shared/peer-hapi/validator or ../shared/abdm is not there)'}`,
  () => {
    it('finds no error in what is finished and one in all that is broken, or the case says why', {
      timeout: 300_000,
    }, async () => {
      const finished = [...documents.keys()]
      const texts = [...documents.values(), ...mutations.map(({ bundle }) => writeJson(bundle))]
      const found = await hapiMessages(texts, OFFICIAL)
      const errors = found.map(messages => messages.filter(({ severity }) => /error|fatal/.test(severity)))
      const surprises = [
        ...finished.flatMap((name, i) => errors[i]!.map(({ at, message }) => `${name}: ${at} ${message}`)),
        ...mutations.flatMap(({ label, severity, hapi: reason }, i) => {
          const said = errors[finished.length + i]!
          // What is a warning for us would be an error for HAPI alone.
          if (severity === 'warning' && said.length > 0) return [`${label}: is an error: ${said[0]!.message}`]
          if (reason !== undefined || severity === 'warning')
            return said.length > 0 && reason !== undefined ? [`${label}: is seen after all`] : []
          return said.length > 0 ? [] : [`${label}: is not seen`]
        }),
      ]
      expect(surprises).toEqual([])
    })
  },
)
