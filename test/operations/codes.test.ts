/** `$lookup`, `$subsumes` and the two `$validate-code`. https://hl7.org/fhir/R4/codesystem-operations.html */
import { describe, expect, it } from 'vitest'
import { refusal } from '../interactions/context.ts'
import { call } from './context.ts'
import { BODY, bodySystem, contextWith, given, PARTS, plain, valueSet } from './terminology.ts'

const all = valueSet({ include: [{ system: BODY }] })
const store: object[] = [bodySystem, all]

async function ask(
  name: string,
  type: string,
  parameters: Record<string, unknown>,
  resources = store,
  id = '',
) {
  const ctx = await contextWith(...resources)
  return plain(await call(ctx, name, { type, id }, given(parameters)))
}

async function refused(name: string, type: string, parameters: Record<string, unknown>, resources = store) {
  const ctx = await contextWith(...resources)
  const { status, code, message } = await refusal(call(ctx, name, { type }, given(parameters)))
  return { status, code, message }
}

describe('$lookup', () => {
  it('says all that is known of a code', async () => {
    const found = await ask('lookup', 'CodeSystem', { system: BODY, code: 'arm' })
    expect(found).toMatchObject({ name: 'Body', version: '2', display: 'Upper arm' })
    expect(found.designation).toEqual([
      { language: 'hi', value: 'बाँह' },
      { language: 'ta-IN', value: 'கை' },
      { use: { system: 'urn:use', code: 'short' }, value: 'arm (s)' },
    ])
    expect(found.property).toEqual([
      { code: 'definition', value: 'What a hand hangs on.' },
      { code: 'parent', value: 'limb', description: 'Limb' },
      { code: 'child', value: 'hand', description: 'Hand' },
      { code: 'side', value: 'both' },
    ])
  })

  it('says the properties that are asked for, and no others', async () => {
    const found = await ask('lookup', 'CodeSystem', {
      system: BODY,
      code: 'arm',
      property: ['side', 'lang.ta'],
    })
    expect(found.property).toEqual({ code: 'side', value: 'both' })
    expect(found.designation).toEqual({ language: 'ta-IN', value: 'கை' })
    expect(found).toMatchObject({ name: 'Body', version: '2', display: 'Upper arm' })
  })

  it('takes a coding, a version, and a language', async () => {
    const coding = { system: BODY, version: '2', code: 'arm' }
    const found = await ask('lookup', 'CodeSystem', { coding, displayLanguage: 'ta' })
    expect(found.display).toBe('கை')
  })

  it('of a code of R4 itself is there at start', async () => {
    const system = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
    const found = await ask('lookup', 'CodeSystem', { system, code: 'AMB' }, [])
    expect(found).toMatchObject({ name: 'v3.ActCode', display: 'ambulatory', version: '2018-08-12' })
  })

  it('of an unknown system, version or code is 404', async () => {
    const unknown = { status: 404, code: 'not-found' }
    expect(await refused('lookup', 'CodeSystem', { system: 'urn:x', code: 'arm' })).toMatchObject(unknown)
    expect(await refused('lookup', 'CodeSystem', { system: BODY, code: 'wing' })).toMatchObject(unknown)
    expect(await refused('lookup', 'CodeSystem', { system: BODY, version: '7', code: 'arm' })).toMatchObject(
      unknown,
    )
  })

  it('needs a code and its system', async () => {
    expect(await refused('lookup', 'CodeSystem', { system: BODY })).toMatchObject({ status: 400 })
    expect(await refused('lookup', 'CodeSystem', { code: 'arm' })).toMatchObject({ status: 400 })
    const both = { code: 'arm', system: BODY, coding: { system: BODY, code: 'arm' } }
    expect(await refused('lookup', 'CodeSystem', both)).toMatchObject({ status: 400, code: 'invalid' })
  })

  it('is the definition of the store, where there is one of the same url', async () => {
    const found = await ask('lookup', 'CodeSystem', {
      system: 'http://hl7.org/fhir/administrative-gender',
      code: 'male',
    })
    expect(found.display).toBe('Male')
    const own = {
      ...bodySystem,
      id: 'own',
      url: 'http://hl7.org/fhir/administrative-gender',
      concept: [{ code: 'male', display: 'Purush' }],
    }
    const overridden = await ask(
      'lookup',
      'CodeSystem',
      { system: 'http://hl7.org/fhir/administrative-gender', code: 'male' },
      [own],
    )
    expect(overridden.display).toBe('Purush')
  })
})

describe('$subsumes', () => {
  it.each([
    ['limb', 'hand', 'subsumes'],
    ['hand', 'limb', 'subsumed-by'],
    ['arm', 'arm', 'equivalent'],
    ['arm', 'leg', 'not-subsumed'],
    ['body', 'old', 'not-subsumed'],
  ])('%s and %s: %s', async (codeA, codeB, outcome) => {
    expect(await ask('subsumes', 'CodeSystem', { system: BODY, codeA, codeB })).toEqual({ outcome })
    expect(await ask('subsumes', 'CodeSystem', { codeA, codeB }, store, 'body')).toEqual({ outcome })
    const codings = { codingA: { system: BODY, code: codeA }, codingB: { system: BODY, code: codeB } }
    expect(await ask('subsumes', 'CodeSystem', codings)).toEqual({ outcome })
  })

  it('of what is not known is an error, and never an outcome', async () => {
    const unknown = { status: 404, code: 'not-found' }
    const codes = { codeA: 'arm', codeB: 'leg' }
    expect(await refused('subsumes', 'CodeSystem', { system: 'urn:x', ...codes })).toMatchObject(unknown)
    expect(
      await refused('subsumes', 'CodeSystem', { system: BODY, codeA: 'arm', codeB: 'wing' }),
    ).toMatchObject(unknown)
    expect(await refused('subsumes', 'CodeSystem', codes)).toMatchObject({ status: 400, code: 'required' })
    expect(
      await refused('subsumes', 'CodeSystem', {
        system: BODY,
        codingA: { system: 'urn:x', code: 'a' },
        codeB: 'leg',
      }),
    ).toMatchObject({ status: 400, code: 'invalid' })
    const part = { ...bodySystem, content: 'fragment' }
    expect(await refused('subsumes', 'CodeSystem', { system: BODY, ...codes }, [part])).toMatchObject(unknown)
  })
})

describe('CodeSystem/$validate-code', () => {
  const validate = (parameters: Record<string, unknown>, resources = store, id = '') =>
    ask('validate-code', 'CodeSystem', parameters, resources, id)

  it('says that a code is one, and its display', async () => {
    const valid = { result: true, display: 'Upper arm', code: 'arm', system: BODY, version: '2' }
    expect(await validate({ url: BODY, code: 'arm' })).toEqual(valid)
    expect(await validate({ url: BODY, code: 'arm', version: '2' })).toEqual(valid)
    expect(await validate({ url: BODY, coding: { system: BODY, code: 'arm' } })).toEqual(valid)
    expect(await validate({ coding: { system: BODY, code: 'arm' } })).toEqual(valid)
    expect(await validate({ code: 'arm' }, store, 'body')).toEqual(valid)
    const coding = [
      { system: BODY, code: 'wing' },
      { system: BODY, code: 'arm' },
    ]
    expect(await validate({ url: BODY, codeableConcept: { coding } })).toEqual(valid)
    expect(await validate({ codeSystem: bodySystem, code: 'arm' }, [])).toEqual(valid)
  })

  it('says that a code is none, and why', async () => {
    const invalid = { result: false, message: expect.stringContaining('"wing" is no code') }
    expect(await validate({ url: BODY, code: 'wing' })).toMatchObject(invalid)
    const foreign = await validate({ url: BODY, coding: { system: 'urn:x', code: 'arm' } })
    expect(foreign).toMatchObject({ result: false, message: expect.stringContaining('urn:x') })
  })

  it('judges the display, case and white space aside', async () => {
    const display = async (text: string) => (await validate({ url: BODY, code: 'arm', display: text })).result
    expect(await display('Upper arm')).toBe(true)
    expect(await display('upper  ARM ')).toBe(true)
    expect(await display('கை')).toBe(true)
    expect(await display('Lower arm')).toBe(false)
    expect(await validate({ url: BODY, code: 'arm', display: 'Lower arm' })).toMatchObject({
      message: 'The display of arm is "Upper arm", not "Lower arm".',
      display: 'Upper arm',
    })
    const lenient = { url: BODY, code: 'arm', display: 'Lower arm', 'lenient-display-validation': 'true' }
    expect(await validate(lenient)).toMatchObject({ result: true, message: expect.any(String) })
  })

  it('takes abstract codes unless they are ruled out, and warns of inactive ones', async () => {
    expect(await validate({ url: BODY, code: 'limb' })).toMatchObject({ result: true })
    expect(await validate({ url: BODY, code: 'limb', abstract: 'true' })).toMatchObject({ result: true })
    expect(await validate({ url: BODY, code: 'limb', abstract: 'false' })).toMatchObject({ result: false })
    expect(await validate({ url: BODY, code: 'old' })).toMatchObject({
      result: true,
      message: expect.stringContaining('not active'),
    })
  })

  it('of a system that is not here is 404', async () => {
    expect(await refused('validate-code', 'CodeSystem', { url: 'urn:x', code: 'a' })).toMatchObject({
      status: 404,
      code: 'not-found',
    })
  })
})

describe('ValueSet/$validate-code', () => {
  const limbs = valueSet({
    include: [{ system: BODY, filter: [{ property: 'concept', op: 'is-a', value: 'limb' }] }],
    exclude: [{ system: BODY, concept: [{ code: 'leg' }] }],
  })
  const validate = (
    parameters: Record<string, unknown>,
    resources: object[] = [bodySystem, limbs],
    id = '',
  ) => ask('validate-code', 'ValueSet', parameters, resources, id)

  it.each([
    ['arm', true],
    ['hand', true],
    ['leg', false],
    ['body', false],
    ['wing', false],
  ])('%s: %s', async (code, result) => {
    expect((await validate({ url: PARTS, system: BODY, code })).result).toBe(result)
    expect((await validate({ url: PARTS, coding: { system: BODY, code } })).result).toBe(result)
    expect((await validate({ system: BODY, code }, [bodySystem, limbs], 'parts')).result).toBe(result)
    expect((await validate({ valueSet: limbs, system: BODY, code }, [bodySystem])).result).toBe(result)
    expect((await validate({ url: PARTS, code, inferSystem: 'true' })).result).toBe(result)
  })

  it('says which code it found where the system was left out', async () => {
    expect(await validate({ url: PARTS, code: 'arm', inferSystem: 'true' })).toMatchObject({
      system: BODY,
      code: 'arm',
      display: 'Upper arm',
    })
  })

  it('is true of a concept when one of its codings is in', async () => {
    const coding = [
      { system: 'urn:x', code: 'a' },
      { system: BODY, code: 'arm' },
    ]
    expect((await validate({ url: PARTS, codeableConcept: { coding } })).result).toBe(true)
  })

  it('is false where the code system is not held, and names that', async () => {
    const foreign = valueSet({ include: [{ system: 'urn:not-held' }] })
    expect(await validate({ url: PARTS, system: 'urn:not-held', code: 'a' }, [foreign])).toMatchObject({
      result: false,
      'x-caused-by-unknown-system': 'urn:not-held',
    })
  })

  it('finds definitions that come along before those of the store', async () => {
    const sent = { valueSet: all, system: BODY, code: 'arm', 'tx-resource': bodySystem }
    expect((await validate(sent, [])).result).toBe(true)
    const other = { ...bodySystem, concept: [{ code: 'tail' }] }
    expect((await validate({ ...sent, 'tx-resource': other }, [bodySystem])).result).toBe(false)
  })

  it('is false of a version that is not held', async () => {
    expect(await validate({ url: PARTS, system: BODY, systemVersion: '9', code: 'arm' })).toMatchObject({
      result: false,
      'x-caused-by-unknown-system': `${BODY}|9`,
    })
  })

  it('needs a value set that is here, a code, and its system', async () => {
    const refusedWith = (parameters: Record<string, unknown>) =>
      refused('validate-code', 'ValueSet', parameters)
    expect(await refusedWith({ url: 'urn:x', system: BODY, code: 'a' })).toMatchObject({ status: 404 })
    expect(await refusedWith({ url: PARTS, code: 'a' })).toMatchObject({ status: 400, code: 'required' })
    expect(await refusedWith({ url: PARTS })).toMatchObject({ status: 400, code: 'required' })
    expect(await refusedWith({ code: 'a', system: BODY })).toMatchObject({ status: 400, code: 'required' })
  })
})

describe('$batch-validate-code', () => {
  it('answers each validation, and those that cannot be asked with an OperationOutcome', async () => {
    const ctx = await contextWith(...store)
    const one = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter })
    const answer = await call(
      ctx,
      'batch-validate-code',
      { type: 'ValueSet' },
      given({
        url: PARTS,
        validation: [
          one({ name: 'coding', valueCoding: { system: BODY, code: 'arm' } }),
          one({ name: 'coding', valueCoding: { system: BODY, code: 'wing' } }),
          one(
            { name: 'url', valueUri: 'urn:nobody' },
            { name: 'coding', valueCoding: { system: BODY, code: 'arm' } },
          ),
          one({ name: 'nonsense', valueString: 'x' }),
        ],
      }),
    )
    const [yes, no, missing, nonsense] = answer.parameter.map((one: { resource: object }) => one.resource)
    expect(plain(yes).result).toBe(true)
    expect(plain(no).result).toBe(false)
    expect(missing).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'not-found' }] })
    expect(nonsense).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'not-supported' }] })
  })
})

describe('displayLanguage', () => {
  const SCT_USE = 'http://snomed.info/sct'
  const system = {
    ...bodySystem,
    language: 'en',
    concept: [
      {
        code: 'fever',
        display: 'Fever',
        designation: [
          { language: 'en', use: { system: SCT_USE, code: '900000000000003001' }, value: 'Fever (finding)' },
          { language: 'en', value: 'Pyrexia' },
          { language: 'ml', use: { system: SCT_USE, code: '900000000000003001' }, value: 'പനി (കണ്ടെത്തൽ)' },
          { language: 'ml', use: { system: SCT_USE, code: '900000000000013009' }, value: 'പനി' },
        ],
      },
    ],
  }
  it.each([
    ['en', 'Fever'],
    ['en-IN', 'Fever'],
    ['ml', 'പനി'],
    ['ml-IN', 'പനി'],
    ['ta,ml;q=0.5', 'പനി'],
    ['ta', 'Fever'],
  ])('%s gives %s', async (displayLanguage, display) => {
    const found = await ask('lookup', 'CodeSystem', { system: BODY, code: 'fever', displayLanguage }, [
      system,
    ])
    expect(found.display).toBe(display)
  })
})

it('$lookup says that a part is held, where the code is not in that part', async () => {
  const part = { ...bodySystem, content: 'fragment' }
  expect(await refused('lookup', 'CodeSystem', { system: BODY, code: 'toe' }, [part])).toEqual({
    status: 404,
    code: 'not-found',
    message: expect.stringContaining('a part is held here'),
  })
})
