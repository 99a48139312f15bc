package dev.lmm.core.random;

/**
 * PyTorch's generator of random numbers on the processor: a seed gives the numbers that {@code
 * torch.Generator("cpu").manual_seed(seed)} gives. Integers are equal bit for bit; normally
 * distributed numbers within 1e-6, for PyTorch's vectorised logarithm, sine and cosine are not
 * exact.
 *
 * <p>Source: the behaviour of torch 2.15, checked by goldens; the integers are those of the
 * Mersenne Twister (Matsumoto and Nishimura 1998). Not thread-safe.
 */
public final class TorchGenerator {
  private static final int LENGTH = 624;
  private static final int SHIFT = 397;
  private static final int BLOCK = 16;

  private final int[] state = new int[LENGTH];
  private int next = LENGTH;
  private boolean kept;
  private double keptNormal;

  /**
   * Begins.
   *
   * @param seed any; its low 32 bits count, as in PyTorch
   */
  public TorchGenerator(long seed) {
    state[0] = (int) seed;
    for (int i = 1; i < LENGTH; i++) {
      state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }
  }

  /**
   * 32 random bits.
   *
   * @return any int
   */
  public int nextInt() {
    if (next == LENGTH) {
      renew();
    }
    int y = state[next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return y ^ (y >>> 18);
  }

  private void renew() {
    for (int i = 0; i < LENGTH; i++) {
      int y = (state[i] & 0x80000000) | (state[(i + 1) % LENGTH] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % LENGTH] ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
    }
    next = 0;
  }

  /**
   * 64 random bits; the first draw is the high word.
   *
   * @return any long
   */
  public long nextLong() {
    long high = nextInt();
    return high << 32 | (nextInt() & 0xFFFFFFFFL);
  }

  /**
   * A number below 1, of 24 bits.
   *
   * @return from 0 to 1, 1 excluded
   */
  public float nextFloat() {
    return (nextInt() & 0xFFFFFF) * 0x1p-24f;
  }

  /**
   * A number below 1, of 53 bits.
   *
   * @return from 0 to 1, 1 excluded
   */
  public double nextDouble() {
    return (nextLong() & ((1L << 53) - 1)) * 0x1p-53;
  }

  /**
   * What {@code torch.randn(n, generator=...)} gives: mean 0, deviation 1. Fewer than 16 numbers
   * are drawn one by one, more in blocks of 16; where 16 does not divide the count, the last 16 are
   * drawn anew.
   *
   * @param count how many, at least 0
   * @return the numbers
   */
  public float[] randn(int count) {
    float[] numbers = new float[count];
    if (count < BLOCK) {
      for (int i = 0; i < count; i++) {
        numbers[i] = (float) nextNormal();
      }
      return numbers;
    }
    for (int i = 0; i < count; i++) {
      numbers[i] = nextFloat();
    }
    for (int i = 0; i + BLOCK <= count; i += BLOCK) {
      normal(numbers, i);
    }
    if (count % BLOCK != 0) {
      int last = count - BLOCK;
      for (int i = last; i < count; i++) {
        numbers[i] = nextFloat();
      }
      normal(numbers, last);
    }
    return numbers;
  }

  /** Box and Muller, number j with number j + 8. */
  private static void normal(float[] numbers, int from) {
    for (int j = from; j < from + BLOCK / 2; j++) {
      float radius = (float) Math.sqrt(-2f * (float) Math.log(1 - numbers[j]));
      float angle = (float) (2 * Math.PI) * numbers[j + BLOCK / 2];
      numbers[j] = radius * (float) Math.cos(angle);
      numbers[j + BLOCK / 2] = radius * (float) Math.sin(angle);
    }
  }

  private double nextNormal() {
    if (kept) {
      kept = false;
      return keptNormal;
    }
    double u1 = nextDouble();
    double u2 = nextDouble();
    double radius = Math.sqrt(-2 * Math.log1p(-u2));
    keptNormal = radius * Math.sin(2 * Math.PI * u1);
    kept = true;
    return radius * Math.cos(2 * Math.PI * u1);
  }
}
