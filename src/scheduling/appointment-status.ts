/**
 * Which status of an appointment may follow which.
 * https://hl7.org/fhir/R4/valueset-appointmentstatus.html
 */

const FOLLOWERS: Readonly<Record<string, readonly string[]>> = {
  proposed: ['pending', 'booked', 'waitlist', 'cancelled', 'entered-in-error'],
  pending: ['proposed', 'booked', 'arrived', 'checked-in', 'waitlist', 'cancelled', 'entered-in-error'],
  waitlist: ['proposed', 'pending', 'booked', 'cancelled', 'entered-in-error'],
  booked: ['pending', 'arrived', 'checked-in', 'fulfilled', 'cancelled', 'noshow', 'entered-in-error'],
  // A click too many at the desk can be taken back.
  arrived: ['booked', 'checked-in', 'fulfilled', 'cancelled', 'noshow', 'entered-in-error'],
  'checked-in': ['booked', 'arrived', 'fulfilled', 'cancelled', 'noshow', 'entered-in-error'],
  // Who was given up on may come through the door after all.
  noshow: ['arrived', 'checked-in', 'entered-in-error'],
  fulfilled: ['entered-in-error'],
  cancelled: ['entered-in-error'],
  'entered-in-error': [],
}

/** Returns whether an appointment may go from one status to the other; staying as it is always may, and so may one that is no status of R4. */
export const mayFollow = (from: string, to: string): boolean =>
  from === to || (FOLLOWERS[from]?.includes(to) ?? true)
