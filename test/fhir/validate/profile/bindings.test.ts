/** Bindings of each strength. https://hl7.org/fhir/R4/terminologies.html#strength */
import { describe, expect, it } from 'vitest'
import type { Ask } from '../../../../src/fhir/validate/profile/ask.ts'
import { broken, definition, held, type Tree, URL } from './held.ts'

const VS = 'http://example.org/ValueSet/v'
const observation = (code: object): Tree => ({ resourceType: 'Observation', status: 'final', code })
const bound = (strength: string, result: 'in' | 'out' | 'unknown', display?: string) => ({
  definitions: [
    definition('p', 'Observation', [['Observation.code', { binding: { strength, valueSet: VS } }]]),
  ],
  asked: [`${URL}/p`],
  answer: ({ question }: Ask) =>
    question.valueSet === VS ? { result, ...(display && { display }) } : { result: 'in' as const },
})
const coded = observation({ coding: [{ system: 'http://s', code: 'x', display: 'X' }] })
const text = observation({ text: 'x' })

describe('a code outside of its value set', () => {
  it.each([
    ['required', ['error binding-required Observation.code']],
    ['extensible', ['warning binding-extensible Observation.code']],
    ['preferred', ['information binding-preferred Observation.code']],
    ['example', []],
  ])('of strength %s', async (strength, expected) => {
    expect(await broken(coded, bound(strength, 'out'), true)).toEqual(expected)
    expect(await broken(coded, bound(strength, 'in'), true)).toEqual([])
  })
})

it('why a code is out of its value set is said where that is more than the fact', async () => {
  const told = async (answer: object, code: object = coded) =>
    (await held(code, { ...bound('preferred', 'out'), answer: () => ({ result: 'out', ...answer }) }))[0]!
      .diagnostics
  const why = 'The code x is not in the value set.'
  expect(await told({ why, plain: true })).toBe(
    `"x" of http://s is not in the value set ${VS}, whose codes are preferred. (${URL}/p)`,
  )
  expect(await told({ why: 'The code x is inactive.' })).toContain('preferred. The code x is inactive. (')
  const two = observation({ coding: [{ system: 'http://s', code: 'x' }, { code: 'y' }] })
  expect(await told({}, two)).toContain('None of "x" of http://s, "y" is in the value set')
})

it('a code that nobody can judge is no error', async () => {
  expect(await broken(coded, bound('required', 'unknown'), true)).toEqual([
    'warning binding-required Observation.code',
  ])
  expect(await broken(coded, bound('extensible', 'unknown'), true)).toEqual([
    'information binding-extensible Observation.code',
  ])
})

it('text alone is not enough where a code is required, and a warning where the binding is extensible', async () => {
  expect(await broken(text, bound('required', 'in'), true)).toEqual([
    'error binding-required Observation.code',
  ])
  expect(await broken(text, bound('extensible', 'in'), true)).toEqual([
    'warning binding-extensible Observation.code',
  ])
  expect(await broken(text, bound('preferred', 'in'), true)).toEqual([])
})

it('a wrong display is a warning that names the right one', async () => {
  const [issue] = await held(coded, bound('required', 'in', 'Right'))
  expect(issue).toMatchObject({ severity: 'warning', rule: 'code-display', expression: 'Observation.code' })
  expect(issue!.diagnostics).toContain('Write "Right"')
})

it('the same question is asked of a code without its system only where the value is a bare code', async () => {
  const asked: Ask['question'][] = []
  const answer = ({ question }: Ask) => {
    asked.push(question)
    return { result: 'in' as const }
  }
  const profile = definition('p', 'Observation', [
    ['Observation.code', { binding: { strength: 'required', valueSet: VS } }],
    ['Observation.language', { binding: { strength: 'required', valueSet: `${VS}2` } }],
  ])
  await held({ ...coded, language: 'en' }, { definitions: [profile], asked: [profile.url], answer })
  expect(asked).toContainEqual({
    valueSet: VS,
    codings: [{ system: 'http://s', code: 'x', display: 'X' }],
    inferSystem: false,
  })
  expect(asked).toContainEqual({ valueSet: `${VS}2`, codings: [{ code: 'en' }], inferSystem: true })
})
