package dev.lmm.core.family;

import dev.lmm.DevicePlan;
import dev.lmm.Estimate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Gives each part of a model a device: to a card what fits its free memory, the largest part first,
 * for it gains most; the rest to the processor.
 */
final class Planner {
  /** What the driver's context and the kernels of the libraries take on a card. */
  static final long CONTEXT = 600_000_000;

  private Planner() {}

  /**
   * Plans.
   *
   * @param engine that computes
   * @param devices the processor, then the cards
   * @param estimates of the whole model, by device; each lists the same parts in the same order
   * @param asked devices of parts that the caller named
   * @param note why there is no card, or empty
   */
  static DevicePlan plan(
      String engine,
      List<DevicePlan.Device> devices,
      Map<String, Estimate> estimates,
      Map<String, String> asked,
      String note) {
    List<Estimate.Part> parts = estimates.get("cpu").parts();
    Map<String, Long> left = new HashMap<>();
    devices.forEach(device -> left.put(device.name(), device.free() - CONTEXT));
    Map<String, DevicePlan.Part> planned = new HashMap<>();
    for (Estimate.Part part : parts) {
      String device = asked.get(part.name());
      if (device != null && !device.equals("auto")) {
        put(planned, left, find(estimates, device, part), "as asked");
      }
    }
    List<Estimate.Part> bySize =
        parts.stream()
            .filter(part -> !planned.containsKey(part.name()))
            .sorted(Comparator.comparingLong(Estimate.Part::weights).reversed())
            .toList();
    for (Estimate.Part part : bySize) {
      List<String> reasons = new ArrayList<>();
      for (DevicePlan.Device device : devices.subList(1, devices.size())) {
        Estimate.Part there = find(estimates, device.name(), part);
        if (bytes(there) <= left.get(device.name())) {
          put(planned, left, there, "fits");
          break;
        }
        reasons.add(
            String.format(
                Locale.ROOT,
                "%s has %,d MB left, %,d MB are needed",
                device.name(),
                Math.max(0, left.get(device.name())) / 1_000_000,
                bytes(there) / 1_000_000));
      }
      if (!planned.containsKey(part.name())) {
        String reason = reasons.isEmpty() ? "no GPU" : String.join("; ", reasons);
        put(planned, left, part, reason);
      }
    }
    List<DevicePlan.Part> all = new ArrayList<>();
    parts.forEach(part -> all.add(planned.get(part.name())));
    boolean onCard = all.stream().anyMatch(part -> !part.device().equals("cpu"));
    return new DevicePlan(engine, devices, all, onCard ? "" : note);
  }

  private static Estimate.Part find(
      Map<String, Estimate> estimates, String device, Estimate.Part part) {
    return estimates.getOrDefault(device, estimates.get("cpu")).parts().stream()
        .filter(each -> each.name().equals(part.name()))
        .findFirst()
        .orElse(part);
  }

  private static void put(
      Map<String, DevicePlan.Part> planned,
      Map<String, Long> left,
      Estimate.Part part,
      String reason) {
    left.merge(part.device(), -bytes(part), Long::sum);
    planned.put(
        part.name(),
        new DevicePlan.Part(part.name(), part.device(), part.precision(), bytes(part), reason));
  }

  private static long bytes(Estimate.Part part) {
    return part.weights() + part.cache() + part.activations();
  }
}
