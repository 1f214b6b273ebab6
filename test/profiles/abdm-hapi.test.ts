/** HAPI's validator judges the resources of ABDM's profiles as the cases say, by the official definitions and, of an eighth of them, by ours. */
import { describe, expect, it } from 'vitest'
import { writeJson } from '../../src/fhir/json.ts'
import { cases } from './cases.ts'
import { official } from './definitions.ts'
import { hapi, hapiMessages, type Message, OFFICIAL, OURS } from './hapi.ts'
import { WHY_NOT } from './hapi-install.ts'

const here = hapi && official

/** HAPI's places name the resource within a Bundle, and the type of a choice. */
const place = (at: string): string => at.replace(/\/\*[^*]*\*\//g, '').replace(/\.ofType\([^)]*\)/g, '')

describe.skipIf(!here)(`HAPI's validator${here ? '' : ` (skipped: ${WHY_NOT})`}`, () => {
  const rows = cases.flatMap(({ id, valid, wrong }) => [
    ...valid.map(([name, resource]) => ({ label: `${id} ${name}`, resource, wrong: undefined })),
    ...wrong.map(one => ({
      label: `${id} ${one.rule} ${one.at} ${one.patch}`,
      resource: one.resource,
      wrong: one,
    })),
  ])
  const texts = rows.map(({ resource }) => writeJson(resource))
  const eighth = <T>(list: readonly T[]): T[] => list.filter((_, i) => i % 8 === 0)

  it('finds every fault at its place and none in what is valid, also by our definitions', {
    timeout: 240_000,
  }, async () => {
    const byOfficial = await hapiMessages(texts, OFFICIAL)
    const byOurs = await hapiMessages(eighth(texts), OURS)
    const surprises = rows.flatMap(({ label, wrong }, i) => {
      const said = byOfficial[i]!.filter(one => one.severity === (wrong?.severity ?? 'error'))
      if (wrong === undefined) return said.map(one => `${label}: ${one.at} ${one.message}`)
      if (wrong.hapi !== undefined) return said.length === 0 ? [] : [`${label}: is seen after all`]
      return said.some(one => isAt(place(one.at), wrong.at)) ? [] : [`${label}: ${said.map(one => one.at)}`]
    })
    expect(surprises).toEqual([])
    expect(byOurs.map(errors)).toEqual(eighth(byOfficial).map(errors))
  })
})

/** What is missing is told of the element that lacks it; what is too much, or of a wrong type, of the whole list. */
function isAt(place: string, at: string): boolean {
  return place === at || place === at.replace(/\[\d+\]$/, '') || place === at.replace(/\.[^.]*$/, '')
}

const errors = (messages: Message[]): string[] =>
  messages.filter(one => one.severity === 'error').map(one => `${one.at} ${words(one.message)}`)

/** In sorted words: the order in which targets are listed plays no part. */
const words = (text: string): string => {
  const list = text.split(/[\s,[\]]+/)
  return list.sort().join(' ')
}
