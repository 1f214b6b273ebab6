/** Names, times and refusals of OpenCare, worked out by hand. */
import { describe, expect, it } from 'vitest'
import { refusalOf } from '../../../src/facades/opencare/errors.ts'
import { readFields } from '../../../src/facades/opencare/fields.ts'
import { changed, namesOf, rowOf, timeText } from '../../../src/facades/opencare/translate.ts'
import { FhirError, fhirError } from '../../../src/fhir/error.ts'
import { resource } from '../../interactions/context.ts'

describe('names', () => {
  it.each([
    ['{"given":["Meera","K"],"family":"Nair"}', 'Meera', 'Nair'],
    [
      '{"use":"nickname","text":"Ammu"},{"use":"official","given":["Meera"],"family":"Nair"}',
      'Meera',
      'Nair',
    ],
    ['{"text":"Meera K Nair"}', 'Meera K', 'Nair'],
    ['{"text":"Meera"}', 'Meera', ''],
    ['{"family":"Nair"}', '', 'Nair'],
  ])('of %s', (name, first, last) => {
    expect(namesOf(resource(`{"resourceType":"Patient","name":[${name}]}`))).toEqual({ first, last })
  })
})

describe('times', () => {
  it('are written to the second, or to the microsecond where that says more', () => {
    expect(timeText(Date.UTC(2026, 10, 21, 10, 8))).toBe('2026-11-21T10:08:00Z')
    expect(timeText(Date.UTC(2026, 10, 21, 10, 8, 0, 7))).toBe('2026-11-21T10:08:00.007000Z')
    expect(timeText(undefined)).toBeNull()
  })
  it.each([
    ['2026-11-30T09:00', '2026-11-30T09:00:00Z'],
    ['2026-11-30 09:00:30', '2026-11-30T09:00:30Z'],
    ['2026-11-30T14:30:00+0530', '2026-11-30T09:00:00Z'],
    ['2026-11-30T14:30:00.123456+05:30', '2026-11-30T09:00:00.123000Z'],
    ['2026-11-29T23:30:00-09', '2026-11-30T08:30:00Z'],
    ['2026-11-30t09:00:00z', '2026-11-30T09:00:00Z'],
  ])('%s is read', (text, wanted) => {
    expect(timeText(readFields({ start_time: text }, true).sent.start_time)).toBe(wanted)
  })
  it.each([
    '2026-11-30',
    '2026-02-29T09:00:00Z',
    '2026-11-30T24:00:00Z',
    '2026-13-01T00:00:00Z',
    'now',
    1,
    {},
    true,
    '',
  ])('%s is none', text => {
    expect(readFields({ start_time: text }, true).faults.start_time).toHaveLength(1)
  })
})

describe('an appointment of another door', () => {
  const foreign =
    resource(`{"resourceType":"Appointment","status":"checked-in","start":"2026-11-30T14:30:00+05:30",
    "end":"2026-11-30T15:00:00+05:30","serviceType":[{"coding":[{"display":"General Practice"}]}],"description":"Fever",
    "slot":[{"reference":"Slot/1"}],"minutesDuration":30,"participant":[
      {"actor":{"reference":"PractitionerRole/1"},"status":"accepted"},
      {"actor":{"reference":"RelatedPerson/1"},"status":"accepted"},
      {"actor":{"reference":"Patient/1"},"status":"accepted"}]}`)
  const actors = { patient: 'Patient/1', provider: 'Practitioner/1', facility: undefined }

  it('is shown by the words that it has', () => {
    const row = rowOf({
      appointment: foreign,
      patient: undefined,
      provider: undefined,
      facility: undefined,
      updated: 0,
    })
    expect(row).toMatchObject({
      appointment_type: 'General Practice',
      reason: 'Fever',
      status: 'scheduled',
      start_time: '2026-11-30T09:00:00Z',
      end_time: '2026-11-30T09:30:00Z',
    })
  })
  it('stays as it is where what is sent is what it says', () => {
    const same = {
      patient: 'Patient/1',
      provider: 'Practitioner/1',
      appointment_type: 'General Practice',
      reason: 'Fever',
      status: 'scheduled',
      start_time: Date.UTC(2026, 10, 30, 9),
      end_time: Date.UTC(2026, 10, 30, 9, 30),
    } as const
    expect(changed(foreign, same, actors)).toEqual(foreign)
  })
  it('lets go of its slot with another time, and keeps who else takes part with another provider', () => {
    const later = changed(foreign, { end_time: Date.UTC(2026, 10, 30, 9, 40) }, actors)
    expect([later.slot, later.minutesDuration, later.start, later.end]).toEqual([
      undefined,
      undefined,
      '2026-11-30T14:30:00+05:30',
      '2026-11-30T09:40:00.000Z',
    ])
    const other = changed(foreign, { provider: 'Practitioner/2', facility: 'Location/1' }, actors)
    expect(other.slot).toBeUndefined()
    const actor = (reference: string) => expect.objectContaining({ actor: { reference } })
    expect(other.participant).toEqual(
      ['Practitioner/2', 'RelatedPerson/1', 'Patient/1', 'Location/1'].map(actor),
    )
  })
})

describe('refusals', () => {
  const taken = (rule: string) =>
    new FhirError('conflict', [{ severity: 'error', code: 'conflict', diagnostics: 'taken', rule }])
  it.each([
    ['patient-overlap', 'patient', 'Patient'],
    ['practitioner-overlap', 'provider', 'Provider'],
    ['slot-full', 'provider', 'Provider'],
    ['slot-unavailable', 'provider', 'Provider'],
    ['location-overlap', 'facility', 'Facility'],
  ])('of the rule %s are about the %s', (rule, field, word) => {
    const { status, body } = refusalOf(taken(rule))
    expect([status, body.errors]).toEqual([
      400,
      { [field]: [`${word} already has an appointment in this window.`] },
    ])
  })
  it('of the table of states are an error of the action', () => {
    const error = new FhirError('business-rule', [
      { severity: 'error', code: 'business-rule', diagnostics: 'It is over.', rule: 'status-transition' },
    ])
    expect([refusalOf(error).status, refusalOf(error).body]).toEqual([400, { error: 'It is over.' }])
  })
  it('say nothing of what went wrong inside', () => {
    for (const error of [new Error('secret'), fhirError('transient', 'secret'), 'secret'])
      expect(refusalOf(error).body).toEqual({
        code: 'server_error',
        message: 'An unexpected error occurred. Please try again later.',
      })
    expect([refusalOf(new Error('x')).status, refusalOf(fhirError('transient', 'x')).status]).toEqual([
      500, 503,
    ])
  })
})
