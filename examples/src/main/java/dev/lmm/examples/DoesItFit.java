package dev.lmm.examples;

import dev.lmm.Estimate;
import dev.lmm.Models;
import dev.lmm.Precision;
import java.util.List;

/** What memory a model takes in each precision, before anything of it is downloaded. */
public final class DoesItFit {
  private DoesItFit() {}

  /**
   * Prints whether a model fits a card.
   *
   * @param arguments model, gigabytes of the card
   */
  public static void main(String[] arguments) {
    long card = Long.parseLong(arguments[1]) << 30;
    for (Precision precision : List.of(Precision.FP16, Precision.INT8, Precision.INT4)) {
      Estimate estimate =
          Models.model(arguments[0]).device("cuda:0").precision(precision).estimate();
      System.out.printf(
          "%s takes %.1f GiB: it %s%n",
          precision.label(),
          estimate.total() / (double) (1L << 30),
          estimate.fits(card) ? "fits" : "does not fit");
    }
  }
}
