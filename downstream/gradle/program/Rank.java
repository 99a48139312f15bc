import dev.lmm.Encoder;
import dev.lmm.Models;
import dev.lmm.Score;
import dev.lmm.tiny.TinyPictures;
import java.util.List;

/** Names a picture. */
public final class Rank {
  public static void main(String[] arguments) {
    List<String> captions = TinyPictures.all().stream().map(p -> p.english()).toList();
    try (Encoder encoder = Models.encoder("tiny-clip").load()) {
      System.out.println(
          Score.best(encoder.rank(TinyPictures.all().get(1).image(), captions)).text());
    }
  }
}
