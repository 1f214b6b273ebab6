/**
 * Places: latitudes stand in `ix` so that a band of them drives the index, and the distance is computed by the server.
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/#trigonometry-expression-operators
 */
import type { Document } from 'mongodb'
import { boxAround, EARTH_RADIUS } from '../../search/distance.ts'
import { placePrefix, placeTerm } from './terms.ts'

/** Returns the filter of resources with a place of the parameter within so many metres, along the great circle; degrees of WGS84. */
export function within(param: string, latitude: number, longitude: number, metres: number): Document {
  const { south, north } = boxAround({ latitude, longitude }, metres)
  return {
    ix: { $elemMatch: { $gte: placeTerm(param, south), $lte: placeTerm(param, north) } },
    $expr: {
      $anyElementTrue: [
        {
          $map: {
            input: placesOf(param),
            as: 'g',
            in: { $lte: [metresTo(latitude, longitude), metres] },
          },
        },
      ],
    },
  }
}

/** Returns the expression of the distance to the nearest place of the parameter, metres rounded to thousandths; `none` where there is no place. */
export const nearest = (param: string, latitude: number, longitude: number, none: number): Document => ({
  $ifNull: [
    {
      $round: [
        { $min: { $map: { input: placesOf(param), as: 'g', in: metresTo(latitude, longitude) } } },
        // The same on all servers, whose sines may differ in the last bit.
        3,
      ],
    },
    none,
  ],
})

const placesOf = (param: string): Document => ({
  $filter: {
    input: { $ifNull: ['$g', []] },
    as: 'g',
    cond: { $eq: ['$$g.p', { $literal: placePrefix(param) }] },
  },
})

/** The formula of `distance.ts` on `$$g`. */
function metresTo(latitude: number, longitude: number): Document {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180
  const half = (field: string, value: number): Document => ({
    $pow: [{ $sin: { $divide: [{ $degreesToRadians: { $subtract: [field, value] } }, 2] } }, 2],
  })
  const chord = {
    $add: [
      half('$$g.lat', latitude),
      {
        $multiply: [
          Math.cos(radians(latitude)),
          { $cos: { $degreesToRadians: '$$g.lat' } },
          half('$$g.lon', longitude),
        ],
      },
    ],
  }
  return { $multiply: [2 * EARTH_RADIUS, { $asin: { $min: [1, { $sqrt: chord }] } }] }
}
