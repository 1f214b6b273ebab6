/**
 * HAPI's validator, on NRCeS's own definitions, agrees: it has no error for the finished documents, and one at the place for each broken
 * document unless the case says why not.
 */
import { describe, expect, it } from 'vitest'
import { writeJson } from '../../src/fhir/json.ts'
import { official } from '../profiles/definitions.ts'
import { hapi, hapiMessages, type Message, OFFICIAL } from '../profiles/hapi.ts'
import { WHY_NOT } from '../profiles/hapi-install.ts'
import { documents, mutations } from './mutations.ts'

const here = hapi && official

/** HAPI's places name the resource within a Bundle, the type of a choice, and the url of an extension. */
const place = (at: string): string =>
  at.replace(/\/\*[^*]*\*\/|\.ofType\([^)]*\)|\[url=[^\]]*\]/g, '').replaceAll('value[x]', 'value')
const parent = (at: string): string => at.replace(/\.[^.]*$/, '')
const list = (at: string): string => at.replace(/\[\d+\]$/, '')

/** What is missing is told of the element that lacks it, what is too much of the whole list, an invariant of the element that has it. */
function isAt(place: string, at: string): boolean {
  return place === at || place === list(at) || place === parent(at) || parent(place) === at
}

const isError = ({ severity }: Message) => severity === 'error' || severity === 'fatal'

describe.skipIf(!here)(`HAPI's validator${here ? '' : ` (skipped: ${WHY_NOT})`}`, () => {
  it('finds nothing in what is finished, and in what is broken an error at the place or what the case says', {
    timeout: 300_000,
  }, async () => {
    const names = [...documents.keys()]
    const texts = [...documents.values(), ...mutations.map(({ bundle }) => writeJson(bundle))]
    const errors = (await hapiMessages(texts, OFFICIAL)).map(messages => messages.filter(isError))
    const finished = names.flatMap((name, i) =>
      errors[i]!.map(({ at, message }) => `${name}: ${at} ${message}`),
    )
    const broken = mutations.flatMap(({ label, severity, at, hapi: reason }, i) => {
      const said = errors[names.length + i]!
      const seen = said.some(one => isAt(place(one.at), at))
      const agrees = severity === 'error' ? seen : said.length === 0
      if (agrees === (reason === undefined)) return []
      return [
        `${label}: ${agrees ? 'as we say, after all' : said.map(one => `${place(one.at)} ${one.message}`)}`,
      ]
    })
    expect(finished).toEqual([])
    expect(broken).toEqual([])
  })
})
