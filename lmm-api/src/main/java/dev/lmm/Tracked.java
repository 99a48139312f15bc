package dev.lmm;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/**
 * What was followed through a video.
 *
 * @param frames the frames that were looked at
 * @param tracks what was linked over them, in the order it appeared
 */
public record Tracked(List<Frame> frames, List<Track> tracks) {
  /** Far apart, also for people who do not tell red from green. */
  private static final int[] COLOURS = {
    0xE69F00, 0x56B4E9, 0x009E73, 0xF0E442, 0x0072B2, 0xD55E00, 0xCC79A7, 0x000000
  };

  /**
   * A frame and what was found in it.
   *
   * @param index of the frame in the video it was taken from
   * @param seconds when it was taken
   * @param regions what was found
   */
  public record Frame(int index, double seconds, List<Region> regions) {
    /**
     * Copies the list.
     *
     * @param index of the frame
     * @param seconds when it was taken
     * @param regions what was found
     */
    public Frame {
      regions = List.copyOf(regions);
    }
  }

  /**
   * One thing, frame by frame.
   *
   * @param id from 1
   * @param label what it is
   * @param places where it is, in order; not in every frame
   */
  public record Track(int id, String label, List<Place> places) {
    /**
     * Copies the list.
     *
     * @param id from 1
     * @param label what it is
     * @param places where it is
     */
    public Track {
      places = List.copyOf(places);
    }
  }

  /**
   * Where a thing is in a frame.
   *
   * @param index of the frame
   * @param box where
   * @param interpolated whether it was not seen there but lies between two frames where it was
   */
  public record Place(int index, Box box, boolean interpolated) {}

  /**
   * Copies the lists.
   *
   * @param frames the frames that were looked at
   * @param tracks what was linked over them
   */
  public Tracked {
    frames = List.copyOf(frames);
    tracks = List.copyOf(tracks);
  }

  /**
   * A table: {@code frame,id,label,left,top,right,bottom,interpolated}.
   *
   * @return lines of comma-separated values, labels quoted
   */
  public String csv() {
    StringBuilder out = new StringBuilder("frame,id,label,left,top,right,bottom,interpolated\n");
    for (Track track : tracks) {
      for (Place place : track.places()) {
        Box box = place.box();
        out.append(
            String.format(
                Locale.ROOT,
                "%d,%d,\"%s\",%.2f,%.2f,%.2f,%.2f,%b%n",
                place.index(),
                track.id(),
                track.label().replace("\"", "\"\""),
                box.left(),
                box.top(),
                box.right(),
                box.bottom(),
                place.interpolated()));
      }
    }
    return out.toString().replace("\r\n", "\n");
  }

  /**
   * The frames with what was found in each, and the tracks: {@code
   * {"frames":[{"index":0,"seconds":0.0,"regions":[{"label":"car","box":[left,top,right,bottom],
   * "confidence":0.9}]}],"tracks":[{"id":1,"label":"car","boxes":[{"index":0,"box":[...],
   * "interpolated":false}]}]}}, numbers not rounded.
   *
   * @return a JSON document
   */
  public String json() {
    List<String> looked = new ArrayList<>();
    for (Frame frame : frames) {
      List<String> regions = new ArrayList<>();
      for (Region region : frame.regions()) {
        Box box = region.box();
        Region.Point point = region.point();
        regions.add(
            "{\"label\":"
                + quoted(region.label())
                + (box != null
                    ? ",\"box\":" + corners(box)
                    : point != null ? ",\"point\":[" + point.x() + "," + point.y() + "]" : "")
                + ",\"confidence\":"
                + region.confidence()
                + "}");
      }
      looked.add(
          "{\"index\":"
              + frame.index()
              + ",\"seconds\":"
              + frame.seconds()
              + ",\"regions\":["
              + String.join(",", regions)
              + "]}");
    }
    List<String> linked = new ArrayList<>();
    for (Track track : tracks) {
      List<String> boxes = new ArrayList<>();
      for (Place place : track.places()) {
        boxes.add(
            "{\"index\":"
                + place.index()
                + ",\"box\":"
                + corners(place.box())
                + ",\"interpolated\":"
                + place.interpolated()
                + "}");
      }
      linked.add(
          "{\"id\":"
              + track.id()
              + ",\"label\":"
              + quoted(track.label())
              + ",\"boxes\":["
              + String.join(",", boxes)
              + "]}");
    }
    return "{\"frames\":["
        + String.join(",", looked)
        + "],\"tracks\":["
        + String.join(",", linked)
        + "]}";
  }

  private static String corners(Box box) {
    return "[" + box.left() + "," + box.top() + "," + box.right() + "," + box.bottom() + "]";
  }

  /**
   * MOT Challenge's form: {@code frame,id,left,top,width,height,1,-1,-1,-1}, frames from 1.
   *
   * @return lines in the order of frames
   */
  public String mot() {
    StringBuilder out = new StringBuilder();
    tracks.stream()
        .flatMap(t -> t.places().stream().map(p -> new MotLine(p.index(), t.id(), p.box())))
        .sorted(MotLine.ORDER)
        .forEach(
            line ->
                out.append(
                    String.format(
                        Locale.ROOT,
                        "%d,%d,%.2f,%.2f,%.2f,%.2f,1,-1,-1,-1\n",
                        line.index() + 1,
                        line.id(),
                        line.box().left(),
                        line.box().top(),
                        line.box().right() - line.box().left(),
                        line.box().bottom() - line.box().top())));
    return out.toString();
  }

  /**
   * COCO's form, with a picture for each frame, a category for each label, and the track's number
   * in {@code attributes.track_id}.
   *
   * @param width of the frames, pixels
   * @param height of the frames, pixels
   * @return a JSON document
   */
  public String coco(int width, int height) {
    List<String> labels = tracks.stream().map(Track::label).distinct().toList();
    TreeSet<Integer> seen = new TreeSet<>();
    frames.forEach(frame -> seen.add(frame.index()));
    tracks.forEach(track -> track.places().forEach(place -> seen.add(place.index())));
    List<String> images = new ArrayList<>();
    for (int index : seen) {
      images.add(
          String.format(
              Locale.ROOT,
              "{\"id\":%d,\"file_name\":\"%06d.png\",\"width\":%d,\"height\":%d}",
              index,
              index,
              width,
              height));
    }
    List<String> categories = new ArrayList<>();
    for (int i = 0; i < labels.size(); i++) {
      categories.add("{\"id\":" + (i + 1) + ",\"name\":" + quoted(labels.get(i)) + "}");
    }
    List<String> annotations = new ArrayList<>();
    for (Track track : tracks) {
      for (Place place : track.places()) {
        Box box = place.box();
        annotations.add(
            String.format(
                Locale.ROOT,
                "{\"id\":%d,\"image_id\":%d,\"category_id\":%d,\"bbox\":[%.2f,%.2f,%.2f,%.2f],"
                    + "\"area\":%.2f,\"iscrowd\":0,\"attributes\":{\"track_id\":%d,"
                    + "\"interpolated\":%b}}",
                annotations.size() + 1,
                place.index(),
                labels.indexOf(track.label()) + 1,
                box.left(),
                box.top(),
                box.right() - box.left(),
                box.bottom() - box.top(),
                box.area(),
                track.id(),
                place.interpolated()));
      }
    }
    return "{\"images\":["
        + String.join(",", images)
        + "],\"categories\":["
        + String.join(",", categories)
        + "],\"annotations\":["
        + String.join(",", annotations)
        + "]}";
  }

  private static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < 0x20 || Character.isSurrogate(c)) {
        out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }

  /**
   * The frames with the boxes of the tracks, each with its number and label.
   *
   * @param video the one that was searched, or the one it was sampled from: with {@link
   *     TrackRequest#interpolated()} the frames between have boxes too
   * @return a copy of each of its frames
   */
  public List<Image> draw(Video video) {
    List<Image> drawn = new ArrayList<>();
    for (int i = 0; i < video.frames().size(); i++) {
      Drawing drawing = video.frames().get(i).draw();
      int index = video.indices().get(i);
      for (Track track : tracks) {
        for (Place place : track.places()) {
          if (place.index() == index) {
            Box box = place.box();
            drawing
                .colour(COLOURS[(track.id() - 1) % COLOURS.length])
                .box(
                    box.left(),
                    box.top(),
                    box.right(),
                    box.bottom(),
                    (track.id() + " " + track.label()).strip());
          }
        }
      }
      drawn.add(drawing.image());
    }
    return drawn;
  }

  private record MotLine(int index, int id, Box box) {
    static final Comparator<MotLine> ORDER =
        Comparator.comparingInt(MotLine::index).thenComparingInt(MotLine::id);
  }
}
