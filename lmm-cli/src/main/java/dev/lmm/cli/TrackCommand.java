package dev.lmm.cli;

import dev.lmm.Image;
import dev.lmm.Model;
import dev.lmm.TrackRequest;
import dev.lmm.Tracked;
import dev.lmm.Video;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lmm track}. */
@Command(name = "track", description = "Follows things through a video, frame by frame.")
final class TrackCommand extends ModelCommand {
  private static final Pattern VIDEO = Pattern.compile("(?i).*\\.(gif|mp4|mkv|webm)");

  @Mixin Videos videos = new Videos();

  @Option(
      names = "--text",
      paramLabel = "TEXT",
      required = true,
      description = "What to look for in each frame: \"Locate every person.\"")
  String text = "";

  @Option(names = "--label", paramLabel = "TEXT", description = "Only these; repeatable.")
  List<String> labels = new ArrayList<>();

  @Option(names = "--at-most", description = "No more regions in a frame than these.")
  @Nullable Integer atMost;

  @Option(
      names = "--gap",
      description = "For how many frames a thing may be out of sight; 2 by default.")
  @Nullable Integer gap;

  @Option(
      names = "--interpolate",
      description = "Fills in the frames between those that were looked at.")
  boolean interpolate;

  @Option(names = "--max-pixels", description = "How many pixels of a frame the model sees.")
  int maxPixels;

  @Option(
      names = "--out",
      paramLabel = "PATH",
      description = "The frames with the boxes: a .gif, .mp4, .webm or .mkv file, or a folder.")
  @Nullable String out;

  @Option(names = "--csv", paramLabel = "FILE", description = "The tracks as a table.")
  @Nullable String csv;

  @Option(names = "--mot", paramLabel = "FILE", description = "The tracks in MOT Challenge's form.")
  @Nullable String mot;

  @Option(names = "--coco", paramLabel = "FILE", description = "The tracks in COCO's form.")
  @Nullable String coco;

  @Override
  public Integer call() {
    if (videos.paths.size() != 1) {
      throw wrong("--video is given " + videos.paths.size() + " times, expected once");
    }
    Video video = videos.read(this).get(0);
    try (Model loaded = load()) {
      warnOfRandomWeights(loaded.info());
      Tracked tracked = request(loaded, video).run();
      Image first = video.frames().get(0);
      save(tracked, video);
      write(csv, tracked.csv());
      write(mot, tracked.mot());
      write(coco, tracked.coco(first.width(), first.height()));
      Map<String, Object> document = document(loaded.info());
      document.put("frames", tracked.frames().stream().map(TrackCommand::frame).toList());
      document.put("tracks", tracked.tracks().stream().map(TrackCommand::track).toList());
      return print(document, () -> tracked.tracks().forEach(this::forPeople));
    }
  }

  private TrackRequest request(Model loaded, Video video) {
    TrackRequest request = loaded.grounder().track(video, text).pixels(0, maxPixels);
    request = labels.isEmpty() ? request : request.labels(labels.toArray(new String[0]));
    request = atMost == null ? request : request.atMost(atMost);
    request = gap == null ? request : request.gap(gap);
    return interpolate ? request.interpolated() : request;
  }

  private void save(Tracked tracked, Video video) {
    if (out == null) {
      return;
    }
    Video drawn = video.withFrames(tracked.draw(video));
    Path target = path(out);
    if (VIDEO.matcher(out).matches()) {
      drawn.save(target);
    } else {
      drawn.saveFrames(target);
    }
  }

  private void write(@Nullable String file, String content) {
    if (file != null) {
      try {
        Files.writeString(path(file), content, StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static Map<String, Object> frame(Tracked.Frame frame) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("index", frame.index());
    map.put("seconds", frame.seconds());
    map.put("regions", frame.regions().stream().map(LocateCommand::region).toList());
    return map;
  }

  private static Map<String, Object> track(Tracked.Track track) {
    List<Map<String, Object>> boxes = new ArrayList<>();
    for (Tracked.Place place : track.places()) {
      Map<String, Object> box = new LinkedHashMap<>();
      box.put("index", place.index());
      box.put("box", LocateCommand.numbers(place.box()));
      if (place.interpolated()) {
        box.put("interpolated", true);
      }
      boxes.add(box);
    }
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("id", track.id());
    map.put("label", track.label());
    map.put("boxes", boxes);
    return map;
  }

  private void forPeople(Tracked.Track track) {
    List<Tracked.Place> places = track.places();
    output()
        .line(
            String.format(
                Locale.ROOT,
                "%d %-24s frames %d to %d",
                track.id(),
                track.label(),
                places.get(0).index(),
                places.get(places.size() - 1).index()));
  }
}
