package dev.lmm.blip2.internal;

/**
 * T5's buckets of distances: near ones have one each, farther ones share, the more the farther.
 *
 * @param bidirectional whether what comes later is looked at too, with buckets of its own
 * @param count of buckets
 * @param maxDistance from here on all distances share the last
 */
record RelativeBuckets(boolean bidirectional, int count, int maxDistance) {
  /**
   * The bucket of a distance, in single precision as the reference has it.
   *
   * @param distance place of the key minus place of the query
   * @return from 0 to below {@link #count}
   */
  int of(int distance) {
    int buckets = bidirectional ? count / 2 : count;
    int first = bidirectional && distance > 0 ? buckets : 0;
    int far = bidirectional ? Math.abs(distance) : Math.max(-distance, 0);
    int exact = buckets / 2;
    if (far < exact) {
      return first + far;
    }
    float logarithm = (float) Math.log((float) far / exact);
    float share = logarithm / (float) Math.log((double) maxDistance / exact);
    return first + Math.min(exact + (int) (share * (buckets - exact)), buckets - 1);
  }
}
