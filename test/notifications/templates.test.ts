import { describe, expect, it } from 'vitest'
import { EVENTS } from '../../src/notifications/event.ts'
import {
  findTemplate,
  namesIn,
  parseTemplate,
  render,
  type Template,
} from '../../src/notifications/template.ts'
import { TEMPLATES, withFiles } from '../../src/notifications/templates.ts'
import { clockWords, dayWords, quietAround, wallOf, zoneWords } from '../../src/notifications/when.ts'

describe('a template', () => {
  it.each([
    ['Hello {name}.', { name: 'Meera' }, 'Hello Meera.'],
    ['Hello {name}.', {}, 'Hello .'],
    ['Hello[, {name}].', {}, 'Hello.'],
    ['A[ {b}{c}] [{d}]', { b: '1', c: '', d: '2' }, 'A 2'],
    ['{{not}} [[here]]', { not: 'x', here: 'y' }, '{not} [here]'],
    ['{constructor}{toString}', {}, ''],
    ['{a}', { a: '{b} [c]', b: 'no' }, '{b} [c]'],
  ])('%s', (template, values, text) => {
    expect(render(template, values as Record<string, string>)).toBe(text)
  })

  it.each(['a {', 'a }', 'a [', 'a ]', 'a {b c}', '[a [b] c]', '{1}'])('%s is refused', template => {
    expect(() => parseTemplate(template)).toThrow(/\S/)
  })
})

describe('the built-in texts', () => {
  const texts = Object.entries(TEMPLATES.standard!).flatMap(([language, all]) =>
    Object.entries(all).map(([name, template]) => ({ language, name, template })),
  )

  it('are there for each event that is told by itself, in each language', () => {
    const told = Object.keys(EVENTS).filter(
      event => event !== 'updated' && event !== 'queue' && event !== 'emergency',
    )
    for (const language of ['en', 'hi', 'ml'])
      for (const name of [...told, 'queue.fifth', 'queue.next', 'queue.called']) {
        const found = findTemplate(TEMPLATES, { set: 'standard', language, name, role: 'patient' })
        expect([name, found?.language]).toEqual([name, language])
      }
  })

  it('show in every language what they show in English', () => {
    const shown = ({ text, email }: Template) => [...namesIn(`${text}${email ?? ''}`)].sort()
    for (const { language, name, template } of texts) {
      if (language === 'en') continue
      expect([language, name, shown(template)]).toEqual([
        language,
        name,
        shown(TEMPLATES.standard!.en![name]!),
      ])
    }
  })
})

it('a template is looked for in its set, then in the standard one; in the language, then in English; for the role, then for all', () => {
  const text = (one: string): Template => ({ text: one })
  const templates = {
    standard: {
      en: { a: text('standard en'), 'b/practitioner': text('for practitioners'), b: text('for all') },
      hi: { a: text('standard hi') },
    },
    opencare: { en: { b: text('opencare en') } },
  }
  const find = (set: string, language: string, name: string, role = 'patient') =>
    findTemplate(templates, { set, language, name, role })?.template.text
  expect(find('standard', 'hi-IN', 'a')).toBe('standard hi')
  expect(find('standard', 'ta', 'a')).toBe('standard en')
  expect(find('opencare', 'hi', 'a')).toBe('standard hi')
  expect(find('opencare', 'hi', 'b')).toBe('opencare en')
  expect(find('standard', 'hi', 'b', 'practitioner')).toBe('for practitioners')
  expect(find('standard', 'hi', 'none')).toBeUndefined()
})

describe('a folder of templates', () => {
  it('stands before the built-in texts, one by one, and may add a language', () => {
    const files = [
      { name: 'standard.en.json', text: '{"booked": {"text": "Booked: {when}"}}' },
      { name: 'standard.ta.json', text: '{"booked": {"text": "{when}"}}' },
    ]
    const templates = withFiles(TEMPLATES, files)
    expect(templates.standard!.en!.booked).toEqual({ text: 'Booked: {when}' })
    expect(templates.standard!.en!.cancelled).toEqual(TEMPLATES.standard!.en!.cancelled)
    expect(templates.standard!.ta!.booked!.text).toBe('{when}')
    expect(TEMPLATES.standard!.ta).toBeUndefined()
  })

  it('every fault is named, with its file and template', () => {
    const files = [
      { name: 'nonsense.json', text: '{}' },
      { name: 'other.en.json', text: '{}' },
      { name: 'standard.en.json', text: '[' },
      {
        name: 'standard.hi.json',
        text: '{"booked": {"subject": "x"}, "cancelled": {"text": "a {b"}, "pin": 4}',
      },
    ]
    expect(() => withFiles(TEMPLATES, files)).toThrow(
      [
        'nonsense.json: is not named as SET.LANGUAGE.json, with one of the sets standard, opencare, care-gateway.',
        'other.en.json: is not named as SET.LANGUAGE.json, with one of the sets standard, opencare, care-gateway.',
        'standard.en.json: is not JSON.',
        'standard.hi.json: booked: has no "text".',
        'standard.hi.json: cancelled: in its "text" a { is not followed by a name and }.',
        'standard.hi.json: pin: is no object with texts.',
      ].join('\n'),
    )
  })
})

describe('times', () => {
  const wall = (time: string, zone = 'Asia/Kolkata') => wallOf(Date.parse(time), zone)

  it.each([
    ['2026-11-21T18:30:00Z', 'en', 'Sunday, 22 November 2026', '12:00 AM'],
    ['2026-11-21T06:30:00Z', 'en', 'Saturday, 21 November 2026', '12:00 PM'],
    ['2026-11-21T06:30:00Z', 'hi', 'शनिवार, 21 नवंबर 2026', 'दोपहर 12:00 बजे'],
    ['2026-11-21T14:35:00Z', 'hi', 'शनिवार, 21 नवंबर 2026', 'रात 8:05 बजे'],
    ['2026-11-21T11:00:00Z', 'ml', 'ശനിയാഴ്ച, 21 നവംബർ 2026', 'വൈകുന്നേരം 4:30'],
    ['2026-11-21T20:00:00Z', 'ml', 'ഞായറാഴ്ച, 22 നവംബർ 2026', 'രാത്രി 1:30'],
    ['2026-11-21T06:30:00Z', 'ta', 'Saturday, 21 November 2026', '12:00 PM'],
  ])('%s in %s', (time, language, day, clock) => {
    expect([dayWords(wall(time), language), clockWords(wall(time), language)]).toEqual([day, clock])
  })

  it('zones by their place and distance', () => {
    const shown = (zone: string) => zoneWords(wall('2026-11-21T06:30:00Z', zone), zone)
    expect(['Asia/Kolkata', 'America/St_Johns', 'UTC'].map(shown)).toEqual([
      'Kolkata, UTC+05:30',
      'St Johns, UTC-03:30',
      'UTC',
    ])
  })

  it.each([
    ['2026-11-21T21:59:00+05:30', undefined],
    ['2026-11-21T22:00:00+05:30', ['2026-11-21T16:30:00.000Z', '2026-11-22T01:30:00.000Z']],
    ['2026-11-22T06:59:30+05:30', ['2026-11-21T16:30:00.000Z', '2026-11-22T01:30:00.000Z']],
    ['2026-11-22T07:00:00+05:30', undefined],
  ])('quiet hours of 22:00 to 07:00 at %s', (time, hours) => {
    const quiet = quietAround(Date.parse(time), { from: 22 * 60, to: 7 * 60 }, 'Asia/Kolkata')
    expect(quiet && [quiet.from, quiet.to].map(at => new Date(at).toISOString())).toEqual(hours)
  })
})
