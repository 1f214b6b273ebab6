import { describe, expect, it } from 'vitest'
import { FUNCTIONS } from '../../../src/fhir/path/functions.ts'
import { compilePath } from '../../../src/fhir/path/path.ts'
import { around, evaluated, focusOf, type Plain } from './evaluated.ts'

const patient = focusOf({
  resourceType: 'Patient',
  id: 'p',
  active: true,
  birthDate: '1974-12-25',
  name: [
    { use: 'official', given: ['Meera', 'Devi'], family: 'Sharma' },
    { use: 'usual', given: ['Meera'] },
  ],
  telecom: [
    { system: 'phone', value: '+91 98', rank: 1 },
    { system: 'email', value: 'm@x.in', rank: 2 },
  ],
})

/** Examples of the specification where it has them, else results worked out by hand. */
const CASES: readonly [string, ...Plain[]][] = [
  // 5.1 existence
  ['name.exists()', true],
  ["name.exists(use = 'nickname')", false],
  ['contact.empty()', true],
  ['name.all(given.exists())', true],
  ['name.all(family.exists())', false],
  ['contact.all(name.exists())', true],
  ['(true | false).allTrue()', false],
  ['(true | false).anyTrue()', true],
  ['(true | false).allFalse()', false],
  ['(true | false).anyFalse()', true],
  ['({}).allTrue()', true],
  ['({}).anyTrue()', false],
  ['(1 | 2).subsetOf(1 | 2 | 3)', true],
  ['(1 | 2 | 3).supersetOf(1 | 4)', false],
  ['name.given.count()', 3],
  ['name.given.distinct()', 'Meera', 'Devi'],
  ['name.given.isDistinct()', false],
  // 5.2 filtering and projection
  ["telecom.where(system = 'email').value", 'm@x.in'],
  ['telecom.where($index = 0).value', '+91 98'],
  ['name.select(given.first())', 'Meera', 'Meera'],
  ['name.select(given.count())', 2, 1],
  ['name.repeat(given)', 'Meera', 'Devi'],
  ['(1 | 2.5).ofType(Integer)', 1],
  // 5.3 subsetting
  ['name.given[1]', 'Devi'],
  ['name.given[7]'],
  ['name.given[-1]'],
  ['telecom.where(rank = 1).single().system', 'phone'],
  ['name.given.first()', 'Meera'],
  ['name.given.last()', 'Meera'],
  ['name.given.tail()', 'Devi', 'Meera'],
  ['name.given.skip(2)', 'Meera'],
  ['name.given.skip(-1).count()', 3],
  ['name.given.take(2)', 'Meera', 'Devi'],
  ['name.given.take(0)'],
  ['(1 | 2 | 3).intersect(2 | 3 | 4)', 2, 3],
  ['(1 | 2 | 3).exclude(2)', 1, 3],
  // 5.4 combining
  ['name.given.union(name.family)', 'Meera', 'Devi', 'Sharma'],
  ['name.given.combine(name.family).count()', 4],
  // 5.5 conversion
  ['iif(active, 1, 2)', 1],
  ['iif({}, 1, 2)', 2],
  ["'true'.toBoolean()", true],
  ["'yes'.toBoolean()", true],
  ["'x'.toBoolean()"],
  ["'12'.toInteger()", 12],
  ["'2147483648'.toInteger()"],
  ["'1.50'.toDecimal().toString()", '1.50'],
  ["'1e3'.toDecimal() = 1000", true],
  ["'2014-12'.toDate()", '2014-12'],
  ["'2014-13'.toDate()"],
  ['@2014-12-14T10:00:00Z.toDate()', '2014-12-14'],
  ["'2014-12-14T10:00:00+05:30'.toDateTime()", '2014-12-14T10:00:00+05:30'],
  ["'T10:30'.toTime()", '10:30'],
  ["'25:00'.toTime()"],
  ["'5 days'.toQuantity()", { value: 5, unit: 'days', calendar: true }],
  ["'5 \\'mg\\''.toQuantity()", { value: 5, unit: 'mg' }],
  ["(5 'g').toQuantity('mg')", { value: 5000, unit: 'mg' }],
  ["(5 'g').toQuantity('m')"],
  ["(2 weeks).toQuantity('d')", { value: 14, unit: 'd' }],
  ["'5 mg'.convertsToQuantity()", false],
  ['{}.convertsToInteger()'],
  ['birthDate.toString()', '1974-12-25'],
  // 5.6 strings
  ["'abcdefg'.indexOf('bc')", 1],
  ["'abcdefg'.indexOf('x')", -1],
  ["'abcdefg'.substring(3)", 'defg'],
  ["'abcdefg'.substring(1, 2)", 'bc'],
  ["'abcdefg'.substring(6, 2)", 'g'],
  ["'abcdefg'.substring(7, 1)"],
  ["'abcdefg'.startsWith('abc')", true],
  ["'abcdefg'.endsWith('efg')", true],
  ["'abc'.contains('b')", true],
  ["'abc'.upper()", 'ABC'],
  ["'ABC'.lower()", 'abc'],
  ["'abcdefg'.replace('cde', '123')", 'ab123fg'],
  ["'abcdefg'.replace('cde', '')", 'abfg'],
  ["'abc'.replace('', 'x')", 'xaxbxcx'],
  [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the names of groups stand so
    "'11/30/1972'.replaceMatches('\\\\b(?<month>\\\\d{1,2})/(?<day>\\\\d{1,2})/(?<year>\\\\d{2,4})\\\\b', '${day}-${month}-${year}')",
    '30-11-1972',
  ],
  ["'a1b22'.replaceMatches('[0-9]+', '<$0>')", 'a<1>b<22>'],
  ["'abc'.toChars()", 'a', 'b', 'c'],
  ["'abcdefg'.length()", 7],
  ["'a,b,,c'.split(',')", 'a', 'b', '', 'c'],
  ["name.given.join('-')", 'Meera-Devi-Meera'],
  // 5.7 mathematics
  ['(-5).abs()', 5],
  ['(-1.1).ceiling()', -1],
  ['(-2.1).floor()', -3],
  ['0.exp()', 1],
  ['16.log(2)', 4],
  ['100.log(10)', 2],
  ['1.ln()', 0],
  ['2.power(10)', 1024],
  ['2.power(-1)', 0.5],
  ['(-1).power(0.5)'],
  ['1.23456.round(3)', 1.235],
  ['0.5.round()', 1],
  ['(-0.5).round()', -1],
  ['81.sqrt()', 9],
  ['(-1).sqrt()'],
  ['(-1.56).truncate()', -1],
  // 5.8 tree
  ['telecom.children().ofType(code)', 'phone', 'email'],
  ['name.descendants().count()', 6],
  // 5.9 utility
  ["name.trace('names').given.count()", 3],
  ['now()', '2026-11-21T10:00:00.000+05:30'],
  ['today()', '2026-11-21'],
  ['timeOfDay()', '10:00:00.000'],
  // 6 operations
  ['1 | 1 | 2', 1, 2],
  ["'Meera' in name.given", true],
  ["name.given contains 'X'", false],
  ['{} in name.given'],
  ['{} = {}'],
  ['1 = {}'],
  ["'a' ~ 'A'", true],
  ["'a b' ~ 'a  B'", true],
  ['(1 | 2) ~ (2 | 1)', true],
  ['{} ~ {}', true],
  ['1.0 = 1', true],
  ['1.01 ~ 1.0', true],
  ['12345678901234567890.1 = 12345678901234567890.10', true],
  ['0.1 + 0.2 = 0.3', true],
  ['2147483647 + 1'],
  ['1 / 3 * 3 ~ 1', true],
  ['5 div 2', 2],
  ['(-5) div 2', -2],
  ['5 mod 2', 1],
  ['1 / 0'],
  ["'a' + {}"],
  ["'a' & {}", 'a'],
  ["1 'g' = 1000 'mg'", true],
  ["1 'g' > 999 'mg'", true],
  ["1 'g' = 1 'm'"],
  ['1 year = 12 months', true],
  ["1 year = 1 'a'"],
  ["1 day = 24 'h'", true],
  ["2 'm' * 3 'm' = 6 'm2'", true],
  ["(1 'kg' + 500 'g') = 1.5 'kg'", true],
  ['@2012-04 = @2012'],
  ['@2012-04 = @2013', false],
  ['@2012-04-15 > @2011', true],
  ['@2012 > @2012-04'],
  ['@2012-04-15T10:00:00+05:30 = @2012-04-15T04:30:00Z', true],
  ['@2012-04-15T10:00:00 = @2012-04-15T10:00:00Z'],
  ['@2012-01-31 + 1 month', '2012-02-29'],
  ['@2012-02-29 + 1 year', '2013-02-28'],
  ['@2014 + 24 months', '2016'],
  ['@2014 + 23 months', '2015'],
  ['@2019-03-01 + 24 months', '2021-03-01'],
  ['@T23:30 + 45 minutes', '00:15'],
  ['birthDate + 1 day', '1974-12-26'],
  ['@9999-12-31 + 1 day'],
  ['(1 | 2 | 3).aggregate($this + $total, 0)', 6],
  ['active and {}'],
  ['active or {}', true],
  ['{} implies active', true],
  ['active xor {}'],
  ['@2014.lowBoundary()', '2014-01-01'],
  ['@2014-02.highBoundary()', '2014-02-28'],
  ['1.5.precision()', 1],
  ["1 'cm'.comparable(1 'm')", true],
]

describe('functions and operators of FHIRPath', () => {
  it.each(CASES)('%s', (expression, ...expected) => {
    expect(evaluated(expression, patient)).toEqual(expected)
  })

  it('every function is in a case above, or in another test of this folder', () => {
    const elsewhere =
      'conformsTo decode encode escape extension getValue hasValue htmlChecks lastIndexOf matches matchesFull memberOf resolve sort type unescape trim not'
    const text = CASES.map(([expression]) => expression).join(' ')
    const missing = [...FUNCTIONS.keys()].filter(
      name =>
        !text.includes(`${name}(`) &&
        !elsewhere.split(' ').includes(name) &&
        !/^(?:to|convertsTo)[A-Z]/.test(name),
    )
    expect(missing).toEqual([])
  })

  it.each([
    ['(1 | 2).not()', 'one value is expected where there are 2'],
    ['name.given.single()', 'one value is expected where there are 3'],
    ["1 > 'a'", 'has no order with'],
    ["'a' - 'b'", 'takes no String and String'],
    ["@2012-04-15 + 1 'cm'", 'cannot be moved by cm'],
    ["iif('x', 1, 2)", 'the condition of iif() is no boolean'],
    ['(1 | true).allTrue()', 'a boolean is expected'],
    ['%nothing', 'there is no variable %nothing'],
    ["conformsTo('http://example.org/none')", 'is not known'],
  ])('%s cannot be evaluated, and the error says why', (expression, why) => {
    expect(() => evaluated(expression, patient)).toThrow(why)
  })
})

describe('functions of FHIR', () => {
  const observation = focusOf({
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8310-5' }] },
    subject: { reference: 'Patient/p' },
    extension: [{ url: 'http://example.org/e', valueString: 'x' }],
    _status: { extension: [{ url: 'http://example.org/f', valueBoolean: true }] },
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">hot</div>' },
  })

  it('extension() finds those with a url, of primitives too', () => {
    expect(evaluated("extension('http://example.org/e').value", observation)).toEqual(['x'])
    expect(evaluated("status.extension('http://example.org/f').value", observation)).toEqual([true])
    expect(evaluated("status.extension('http://example.org/g')", observation)).toEqual([])
  })

  it('resolve() asks the hook and leaves out what is not found', () => {
    const resolve = ({ value }: { value: unknown }) =>
      (value as { reference?: string }).reference === 'Patient/p' ? patient : undefined
    expect(evaluated('subject.resolve().name.family', observation, { resolve })).toEqual(['Sharma'])
    expect(evaluated('subject.resolve() is Patient', observation, { resolve })).toEqual([true])
    expect(evaluated('subject.resolve()', observation)).toEqual([])
    expect(evaluated('performer.resolve()', observation, { resolve })).toEqual([])
  })

  it('memberOf() and conformsTo() ask their hooks; undefined is empty', () => {
    const memberOf = (_: unknown, valueSet: string) =>
      valueSet.endsWith('yes') ? true : valueSet.endsWith('no') ? false : undefined
    const inSet = (name: string) =>
      evaluated(`code.memberOf('http://example.org/${name}')`, observation, { memberOf })
    expect([inSet('yes'), inSet('no'), inSet('unknown')]).toEqual([[true], [false], []])
    const conformsTo = () => false
    expect(evaluated("conformsTo('http://example.org/p')", observation, { conformsTo })).toEqual([false])
    expect(
      evaluated("conformsTo('http://hl7.org/fhir/StructureDefinition/DomainResource')", observation),
    ).toEqual([true])
  })

  it('a hook that evaluates on the same environment, and fails there, leaves the outer evaluation as it was', () => {
    const env = around(patient, {
      conformsTo: value => {
        try {
          compilePath('(7 | 8 | 9).select((1 | 2).single())').evaluate(value, env)
        } catch {
          return true
        }
        return false
      },
    })
    const path = compilePath("telecom.select(iif(conformsTo('x'), $index.toString() & %context.id, 'no'))")
    expect(path.evaluate(patient, env).map(({ value }) => value)).toEqual(['0p', '1p'])
  })

  it('htmlChecks() is true of a harmless narrative alone', () => {
    expect(evaluated('text.`div`.htmlChecks()', observation)).toEqual([true])
    const bad = focusOf(
      { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><script/>x</div>' },
      'Narrative',
    )
    expect(evaluated('`div`.htmlChecks()', bad)).toEqual([false])
  })

  it('hasValue() is false of a primitive that has extensions only; getValue() gives the value', () => {
    const absent = focusOf({
      resourceType: 'Patient',
      _birthDate: { extension: [{ url: 'http://e', valueCode: 'unknown' }] },
    })
    expect(evaluated('birthDate.exists()', absent)).toEqual([true])
    expect(evaluated('birthDate.hasValue()', absent)).toEqual([false])
    expect(evaluated('birthDate.getValue()', absent)).toEqual([])
    expect(evaluated('status.getValue()', observation)).toEqual(['final'])
  })

  it('trace() tells its values to the hook and changes nothing', () => {
    const told: [string, number][] = []
    const trace = (name: string, values: readonly unknown[]) => void told.push([name, values.length])
    expect(evaluated("status.trace('s').exists()", observation, { trace })).toEqual([true])
    expect(told).toEqual([['s', 1]])
  })

  it('variables of FHIR and of the caller', () => {
    expect(evaluated('%ucum', observation)).toEqual(['http://unitsofmeasure.org'])
    expect(evaluated('%`ext-e`', observation)).toEqual(['http://hl7.org/fhir/StructureDefinition/e'])
    expect(evaluated('%resource.status', observation)).toEqual(['final'])
    expect(evaluated('code.coding.select(%context.status)', observation)).toEqual(['final'])
    expect(
      evaluated('%extension.value', observation, {
        variables: { extension: [focusOf({ valueString: 'v' }, 'Extension')] },
      }),
    ).toEqual(['v'])
  })
})
