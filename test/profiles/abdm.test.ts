/** Our profiles for ABDM say what the official ones of NRCeS say, element by element and code by code. */
import { describe, expect, it } from 'vitest'
import { type Definition, type Element, type Include, official, officialOf, oursOf } from './definitions.ts'
import { below, rules } from './rules.ts'

const eachOf = (kind: string) => it.each(oursOf(kind).map(one => [one.id, one] as const))

describe.skipIf(!official)(
  `profiles of ABDM${official ? '' : ' (skipped: ../shared/abdm/nrces-6.0.0 is not there)'}`,
  () => {
    eachOf('StructureDefinition')('%s is of the same type and version', (_, own) => {
      const head = (one: Definition) =>
        [one.url, one.version, one.fhirVersion, one.kind, one.abstract, one.type, one.baseDefinition].concat(
          one.derivation,
          one.context?.map(({ type, expression }) => `${type} ${expression}`),
        )
      expect(head(own)).toEqual(head(officialOf(own)))
    })

    eachOf('StructureDefinition')('%s says the same of every element', (_, own) => {
      const mine = new Map(own.differential!.element.map(one => [one.id, one]))
      for (const element of officialOf(own).snapshot!.element) {
        const said = { ...below(own.baseDefinition!, element.id), ...mine.get(element.id) } as Element
        // A slice of extensions stands as often as the extension's own definition says.
        if (element.id === 'Immunization.extension:BrandName') said.max = '1'
        expect(rules(said), element.id).toEqual(rules(element))
        mine.delete(element.id)
      }
      expect([...mine.keys()], 'elements that the official one does not have').toEqual([])
    })

    eachOf('ValueSet')('%s has the same codes', (_, own) => {
      const codes = (list: Include[] = []) =>
        list.map(({ system, version, valueSet, filter, concept }) => ({
          ...{ system, version, valueSet, filter },
          concept: concept?.map(one => `${one.code} ${one.display}`).sort(),
        }))
      const content = ({ url, version, compose }: Definition) => ({
        ...{ url, version },
        include: codes(compose!.include),
        exclude: codes(compose!.exclude),
      })
      expect(content(own)).toEqual(content(officialOf(own)))
    })

    eachOf('CodeSystem')('%s has the same codes', (_, own) => {
      const content = ({ url, version, caseSensitive, content, concept }: Definition) => ({
        ...{ url, version, caseSensitive, content },
        concept: concept!.map(({ code, display, concept }) => ({ code, display, concept })),
      })
      expect(content(own)).toEqual(content(officialOf(own)))
    })
  },
)
