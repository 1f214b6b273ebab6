/** The snapshots that we make of our profiles for ABDM say what the published ones say. */
import { describe, expect, it } from 'vitest'
import { readStructure } from '../../src/fhir/definitions/read-structure.ts'
import { snapshotOf } from '../../src/fhir/definitions/snapshot.ts'
import type { ElementRule } from '../../src/fhir/definitions/structure.ts'
import { builtInStructure } from '../../src/fhir/definitions/structures.ts'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { HL7, official, officialText, oursOf } from './definitions.ts'

const find = async (canonical: string) => builtInStructure(canonical)

const sorted = (list: readonly string[]): string[] => [...list].sort()

/**
 * Returns what a rule says, in a form in which order plays no part. mustSupport is left to abdm.test.ts: ours goes on to slices of an
 * element, and asks nothing of a resource.
 */
function said({ types, constraints, mustSupport: _, modifier, ...rest }: ElementRule) {
  return {
    ...rest,
    modifier: modifier ?? false,
    types: types
      ?.map(({ code, profiles, targets, aggregation }) => [
        code,
        sorted(profiles),
        // A reference to any resource is as good as one without targets.
        sorted(targets.filter(target => target !== `${HL7}/Resource`)),
        sorted(aggregation),
      ])
      .sort(),
    constraints:
      constraints && sorted(constraints.map(one => `${one.key} ${one.severity} ${one.expression}`)),
  }
}

describe.skipIf(!official)(
  `snapshots of the profiles of ABDM${official ? '' : ' (skipped: ../shared/abdm/nrces-6.0.0 is not there)'}`,
  () => {
    it.each(oursOf('StructureDefinition').map(one => [one.id, one] as const))('%s', async (_, own) => {
      const mine = await snapshotOf((await find(own.url))!, find)
      const theirs = readStructure(parseJson(officialText(own)) as Resource)
      expect(mine.elements.map(one => one.id)).toEqual(theirs.elements.map(one => one.id))
      for (const [i, element] of theirs.elements.entries())
        expect(said(mine.elements[i]!), element.id).toEqual(said(element))
    })
  },
)
