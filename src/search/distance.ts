/**
 * Distances on the Earth, as `near` compares and orders them: every backend computes this and nothing else.
 * https://hl7.org/fhir/R4/location.html#positional
 *
 * The Earth is a sphere of 6,371,008.8 m, its mean radius in WGS84 (at most 0.6 % from the ellipsoid). With latitudes f1, f2 and longitudes
 * l1, l2 in radians (degrees times pi/180):
 *
 *     a = sin²((f2 - f1) / 2) + cos(f1) · cos(f2) · sin²((l2 - l1) / 2)
 *     distance = 2 · 6371008.8 · asin(min(1, sqrt(a)))       in metres
 *
 * A place is within a distance when `distance <= metres`.
 */

/** Metres. */
export const EARTH_RADIUS = 6_371_008.8

/** Degrees of WGS84. */
export interface Place {
  latitude: number
  longitude: number
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180

/** Returns the distance along the great circle in metres. */
export function distance(from: Place, to: Place): number {
  const f1 = radians(from.latitude)
  const f2 = radians(to.latitude)
  const a =
    Math.sin((f2 - f1) / 2) ** 2 +
    Math.cos(f1) * Math.cos(f2) * Math.sin(radians(to.longitude - from.longitude) / 2) ** 2
  return 2 * EARTH_RADIUS * Math.asin(Math.min(1, Math.sqrt(a)))
}

/** Latitudes from south to north, and longitudes that lie in one of one or two ranges; degrees, ends included. */
export interface Box {
  south: number
  north: number
  longitudes: readonly (readonly [west: number, east: number])[]
}

/** A box is so many degrees wider than it has to be: 11 cm, far more than floats err. */
const MARGIN = 1e-6

/**
 * Returns a box that holds every place within `metres` of a place, for an index to start from: what lies in the box has still to be measured.
 * Longitudes from -180 to 180; a box over the 180th meridian has two ranges, one over a pole the whole circle.
 */
export function boxAround({ latitude, longitude }: Place, metres: number): Box {
  const angle = metres / EARTH_RADIUS
  const degrees = (angle * 180) / Math.PI + MARGIN
  const south = Math.max(-90, latitude - degrees)
  const north = Math.min(90, latitude + degrees)
  const whole: Box = { south, north, longitudes: [[-180, 180]] }
  if (angle >= Math.PI / 2 || north === 90 || south === -90) return whole
  // The meridians that touch the circle: they touch it nearer to the pole than its centre.
  const half =
    (Math.asin(Math.min(1, Math.sin(angle) / Math.cos(radians(latitude)))) * 180) / Math.PI + MARGIN
  const west = longitude - half
  const east = longitude + half
  if (half >= 180) return whole
  if (west < -180)
    return {
      south,
      north,
      longitudes: [
        [west + 360, 180],
        [-180, east],
      ],
    }
  if (east > 180)
    return {
      south,
      north,
      longitudes: [
        [west, 180],
        [-180, east - 360],
      ],
    }
  return { south, north, longitudes: [[west, east]] }
}
