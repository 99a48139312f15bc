package dev.lmm;

import java.util.List;
import java.util.Locale;

/**
 * Where each part of a model would compute, and why there: what {@code device("auto")} decides,
 * made before anything is loaded.
 *
 * @param engine that would compute
 * @param devices that the engine found, the processor first
 * @param parts in the order they compute
 * @param note why no GPU is used, or empty if one is
 */
public record DevicePlan(String engine, List<Device> devices, List<Part> parts, String note) {
  /**
   * A device.
   *
   * @param name {@code cpu} or {@code cuda:N}
   * @param description what it is, for instance the card's name, or empty
   * @param free bytes free on it now, or -1 if that is not known
   */
  public record Device(String name, String description, long free) {}

  /**
   * One part.
   *
   * @param name as {@link Summary} lists it, for instance {@code vision}
   * @param device where it would compute
   * @param precision what it would compute in
   * @param bytes of its weights, cache and activations there
   * @param reason why there
   */
  public record Part(String name, String device, Precision precision, long bytes, String reason) {}

  /**
   * Copies the lists.
   *
   * @param engine that would compute
   * @param devices that the engine found
   * @param parts in the order they compute
   * @param note why no GPU is used, or empty
   */
  public DevicePlan {
    devices = List.copyOf(devices);
    parts = List.copyOf(parts);
  }

  /**
   * Where a part would compute.
   *
   * @param part its name
   * @return the device
   * @throws InvalidRequestException if the model has no such part
   */
  public String deviceOf(String part) {
    for (Part each : parts) {
      if (each.name().equals(part)) {
        return each.device();
      }
    }
    throw new InvalidRequestException(
        "part: is " + part + "; expected one of " + parts.stream().map(Part::name).toList());
  }

  /**
   * A table of devices and parts.
   *
   * @return several lines
   */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("engine " + engine);
    for (Device device : devices) {
      text.append(
          String.format(
              Locale.ROOT,
              "%n%-8s %s%s",
              device.name(),
              device.free() < 0 ? "" : megabytes(device.free()) + " free",
              device.description().isEmpty() ? "" : ", " + device.description()));
    }
    for (Part part : parts) {
      text.append(
          String.format(
              Locale.ROOT,
              "%n%-16s %-8s %-6s %10s  %s",
              part.name(),
              part.device(),
              part.precision().label(),
              megabytes(part.bytes()),
              part.reason()));
    }
    return note.isEmpty() ? text.toString() : text + System.lineSeparator() + note;
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%,d MB", bytes / 1_000_000);
  }
}
