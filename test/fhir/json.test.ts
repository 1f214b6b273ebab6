import { describe, expect, it } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { copyJson, type Json, NumberText, parseJson, parseJsonBytes, writeJson } from '../../src/fhir/json.ts'

function fault(read: () => unknown): { code: string; expression: string | undefined; diagnostics: string } {
  try {
    read()
  } catch (error) {
    if (!(error instanceof FhirError)) throw error
    const issue = error.issues[0]!
    expect(error.status).toBe(400)
    return { code: error.code, expression: issue.expression, diagnostics: issue.diagnostics }
  }
  throw new Error('nothing was refused')
}

describe('numbers', () => {
  const texts = [
    '0',
    '-0',
    '1.00',
    '1e3',
    '1E+30',
    '-12.50e-7',
    '12345678901234567890',
    '0.10000000000000000000001',
  ]
  it.each(texts)('keep their text: %s', text => {
    expect(writeJson(parseJson(`{"a":[${text}]}`))).toBe(`{"a":[${text}]}`)
  })
  it('are NumberText in the tree', () => {
    expect(parseJson('[1.0]')).toEqual([new NumberText('1.0')])
  })
  it.each(['01', '1.', '.5', '+1', '1e', '0x1', 'NaN', 'Infinity', '--1', '1.2.3'])(
    'are refused: %s',
    text => {
      expect(fault(() => parseJson(`{"a":${text}}`))).toMatchObject({ code: 'structure', expression: 'a' })
    },
  )
})

describe('the rest of JSON', () => {
  it('reads what JSON.parse reads, and writes it compact in the same order', () => {
    const text =
      ' { "b" : [ true , false , null , "x\\u0041\\n\\"\\\\\\/\\ud83d\\ude00" ] , "a" : { } , "c":[] }\r\n\t'
    expect(parseJson(text)).toEqual(JSON.parse(text))
    expect(writeJson(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)))
    expect(writeJson(parseJson(text), true)).toBe(JSON.stringify(JSON.parse(text), null, 2))
  })
  it('keeps Malayalam, Devanagari and characters beyond the first plane', () => {
    const text = '{"a":"മലയാളം हिन्दी 😀"}'
    expect(writeJson(parseJsonBytes(new TextEncoder().encode(text)))).toBe(text)
  })
  it('refuses half of a surrogate pair, which no UTF-8 can hold, and takes a whole one', () => {
    expect(fault(() => parseJson('{"a":"x\\ud800"}'))).toMatchObject({ code: 'structure', expression: 'a' })
    expect(fault(() => parseJson('{"\\udc00":1}')).code).toBe('structure')
    expect(parseJson('"\\ud83d\\ude00"')).toBe('😀')
  })
  it.each([
    '',
    ' ',
    '{',
    '}',
    '[',
    '[1,]',
    '{"a":1,}',
    '{"a"}',
    '{a:1}',
    "{'a':1}",
    '{"a":1 "b":2}',
    'nul',
    'truer',
    '"a',
    '"\\x"',
    '"\\u12g4"',
    '"\u0001"',
    '"\n"',
    '{} {}',
    '[1 2]',
    '/**/1',
  ])('refuses %j', text => {
    expect(fault(() => parseJson(text)).code).toBe('structure')
  })
  it('does not let __proto__ reach the prototype', () => {
    const tree = parseJson('{"__proto__":{"polluted":true}}') as Record<string, Json>
    expect(Object.getPrototypeOf(tree)).toBe(Object.prototype)
    expect(writeJson(tree)).toBe('{"__proto__":{"polluted":true}}')
    expect(writeJson(copyJson(tree))).toBe('{"__proto__":{"polluted":true}}')
  })
  it('copies deeply', () => {
    const tree = parseJson('{"a":[{"b":1.0}]}') as { a: { b: Json }[] }
    const copy = copyJson(tree)
    copy.a[0]!.b = 'changed'
    expect(writeJson(tree)).toBe('{"a":[{"b":1.0}]}')
  })
})

describe('a fault names its place', () => {
  it('duplicate key', () => {
    expect(
      fault(() =>
        parseJson('{"resourceType":"Patient","name":[{"family":"A"},{"family":"A","family":"B"}]}'),
      ),
    ).toMatchObject({
      expression: 'Patient.name[1].family',
    })
  })
  it('duplicate key written with an escape', () => {
    expect(
      fault(() => parseJson('{"resourceType":"Patient","\\u0061ctive":true,"active":true}')).expression,
    ).toBe('Patient.active')
  })
  it('bad UTF-8', () => {
    const head = new TextEncoder().encode('{"resourceType":"Patient","name":[{"family":"മ')
    for (const bad of [
      [0xff],
      [0xc3, 0x28],
      [0xe0, 0xb4],
      [0xed, 0xa0, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0xc0, 0xaf],
    ]) {
      const bytes = Uint8Array.from([...head, ...bad, ...new TextEncoder().encode('"}]}')])
      expect(fault(() => parseJsonBytes(bytes))).toMatchObject({
        code: 'structure',
        expression: 'Patient.name[0].family',
        diagnostics: expect.stringContaining(`position ${head.length} `),
      })
    }
  })
  it('nesting too deep, in bounded time and stack', () => {
    expect(fault(() => parseJson('['.repeat(1_000_000))).diagnostics).toContain('deeper than 64')
    expect(fault(() => parseJson('{"a":'.repeat(1_000_000))).diagnostics).toContain('deeper than 64')
    expect(() => parseJson('['.repeat(64) + ']'.repeat(64))).not.toThrow()
  })
})

it('agrees with JSON.parse on seeded random texts and their mutilations', () => {
  let seed = Number(process.env.NADI_TEST_SEED ?? 20261121)
  const random = (n: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * n)
  }
  const make = (level: number): unknown => {
    const kind = random(level > 3 ? 4 : 6)
    if (kind === 0) return random(1000) - 500
    if (kind === 1) return ['', 'a"b', '\u2028', 'മിനി', '\\', '\t'][random(6)]
    if (kind === 2) return random(2) === 0
    if (kind === 3) return null
    if (kind === 4) return Array.from({ length: random(4) }, () => make(level + 1))
    return Object.fromEntries(Array.from({ length: random(4) }, (_, i) => [`k${i}"`, make(level + 1)]))
  }
  for (let round = 0; round < 3000; round++) {
    let text = JSON.stringify(make(0))
    if (round % 2 === 1) {
      const at = random(text.length + 1)
      text =
        text.slice(0, at) + ['', '"', '}', ',', '\\', 'e', '0', '-'][random(8)] + text.slice(at + random(2))
    }
    let expected: string | undefined
    try {
      expected = JSON.stringify(JSON.parse(text))
    } catch {}
    let got: string | undefined
    try {
      got = writeJson(parseJson(text))
    } catch (error) {
      expect(error).toBeInstanceOf(FhirError)
    }
    if (expected === undefined) expect(got, text).toBeUndefined()
    // Duplicate keys are refused here and not by JSON.parse; number texts may differ but not their value.
    else if (got !== undefined) expect(JSON.stringify(JSON.parse(got)), text).toBe(expected)
    else expect(text).toMatch(/"k\d/)
  }
})
