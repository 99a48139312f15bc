package dev.lmm.cli;

import dev.lmm.GenerateRequest;
import dev.lmm.GeneratedImage;
import dev.lmm.Generator;
import dev.lmm.Image;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The part of the gallery that shows how pictures come out of noise. */
final class DiffusionGallery {
  private static final int SHOWN_STEPS = 20;
  // Enough for these pictures; the gallery is to be there in seconds.
  private static final int STEPS = 10;

  private final Path folder;
  private final String id;
  private final Generator generator;

  /**
   * Makes the part.
   *
   * @param folder where pictures go; there already
   * @param id of the model
   * @param generator the model
   */
  DiffusionGallery(Path folder, String id, Generator generator) {
    this.folder = folder;
    this.id = id;
    this.generator = generator;
  }

  void write(Html page) {
    steps(page);
    guidance(page);
    negative(page);
    languages(page);
    schedulers(page);
    fromPicture(page);
  }

  private GenerateRequest request(String prompt) {
    return generator.generate(prompt).steps(STEPS).guidance(5).seed(7).scheduler("ddim");
  }

  private String save(GeneratedImage made, String name) {
    String file = "made-" + name + ".png";
    made.save(folder.resolve(file));
    return "pictures/" + file;
  }

  private String save(Image image, String name) {
    String file = "made-" + name + ".png";
    image.save(folder.resolve(file));
    return "pictures/" + file;
  }

  /** A picture with its caption, enlarged without smoothing it away. */
  private static void figure(Html page, String file, String caption) {
    page.add(
        "<figure><img class=\"made\" src=\"%s\" alt=\"%s\">%s</figure>", file, caption, caption);
  }

  private void steps(Html page) {
    String prompt = "a yellow star on a blue background";
    List<String> files = new ArrayList<>();
    long start = System.nanoTime();
    request(prompt)
        .steps(SHOWN_STEPS)
        .onStep(
            step ->
                files.add(
                    save(
                        step.decoded(), String.format(Locale.ROOT, "step-%02d", step.index() + 1))))
        .run();
    double seconds = (System.nanoTime() - start) / 1e9;
    page.add("<section id=\"generate\"><h2>A picture out of noise, step by step</h2>")
        .add(
            "<p>%s: “%s”, %d steps, each decoded, in %.1f s. Move the slider.</p>",
            id, prompt, files.size(), seconds)
        .add(
            "<div class=\"slider\"><img class=\"made large\" id=\"step\" src=\"%s\" alt=\"the"
                + " picture after the chosen step\"><div><input id=\"steps\" type=\"range\""
                + " min=\"1\" max=\"%d\" value=\"%d\" aria-label=\"step\"><output"
                + " id=\"which\">step %d of %d</output></div></div>",
            files.get(files.size() - 1), files.size(), files.size(), files.size(), files.size())
        .add(
            "<script>(()=>{const s=document.getElementById('steps');s.oninput=()=>{"
                + "document.getElementById('step').src='pictures/made-step-'"
                + "+String(s.value).padStart(2,'0')+'.png';"
                + "document.getElementById('which').textContent='step '+s.value+' of '+s.max;"
                + "};})()</script>")
        .add("<div class=\"hits wrap\">");
    for (int i = 0; i < files.size(); i += 4) {
      figure(page, files.get(i), "step " + (i + 1));
    }
    figure(page, files.get(files.size() - 1), "step " + files.size());
    page.add("</div>")
        .code(
            """
            try (Generator sd = Models.generator("%s").load()) {
              sd.generate("%s").steps(20).seed(7)
                  .onStep(step -> show(step.decoded()))
                  .run();
            }
            """
                .formatted(id, prompt))
        .add("</section>");
  }

  private void guidance(Html page) {
    String prompt = "a red heart on a white background";
    page.add("<section id=\"guidance\"><h2>How strictly the prompt is followed</h2>")
        .add("<p>The same noise, “%s”, with guidance 1, 3, 7.5 and 12.</p>", prompt)
        .add("<div class=\"hits wrap\">");
    for (double g : new double[] {1, 3, 7.5, 12}) {
      figure(
          page, save(request(prompt).guidance(g).run().get(0), "guidance-" + g), "guidance " + g);
    }
    page.add("</div></section>");
  }

  private void negative(Html page) {
    String prompt = "a circle";
    page.add("<section id=\"negative\"><h2>What it must not show</h2>")
        .add("<p>“%s”, five seeds: above as it is, below without “red”.</p>", prompt);
    for (String negative : new String[] {"", "red, a red circle"}) {
      page.add("<div class=\"hits wrap\">");
      GenerateRequest request = request(prompt).seed(0).count(5);
      for (GeneratedImage made :
          (negative.isEmpty() ? request : request.negative(negative)).run()) {
        figure(
            page,
            save(made, (negative.isEmpty() ? "plain-" : "negative-") + made.seed()),
            "seed " + made.seed());
      }
      page.add("</div>");
    }
    page.add("</section>");
  }

  private void languages(Html page) {
    page.add("<section id=\"prompts\"><h2>English and Korean prompts</h2>")
        .add("<p>Each pair asks for the same, from the same noise.</p><div class=\"hits wrap\">");
    String[][] pairs = {
      {"a green triangle on a yellow background", "노란 배경에 초록 삼각형"},
      {"a white circle on the left, black background", "왼쪽에 있는 하얀 원, 검은 배경"},
      {"a purple square on an orange background", "주황 배경에 보라 사각형"}
    };
    for (int i = 0; i < pairs.length; i++) {
      for (String prompt : pairs[i]) {
        boolean english = prompt.equals(pairs[i][0]);
        figure(
            page,
            save(request(prompt).run().get(0), "prompt-" + i + (english ? "-en" : "-ko")),
            prompt);
      }
    }
    page.add("</div></section>");
  }

  private void schedulers(Html page) {
    String prompt = "an orange star on a black background";
    page.add("<section id=\"schedulers\"><h2>Schedulers</h2>")
        .add(
            "<p>“%s” from the same noise, in only %d steps each: some want more.</p>",
            prompt, STEPS)
        .add("<div class=\"hits wrap\">");
    for (String name : generator.schedulers()) {
      if (!name.equals("lcm")) { // wants a model that was made for it
        GenerateRequest request = request(prompt).scheduler(name);
        figure(page, save(request.run().get(0), "with-" + name), name);
      }
    }
    page.add("</div></section>");
  }

  private void fromPicture(Html page) {
    GeneratedImage start = request("a blue square on a white background").run().get(0);
    String prompt = "a red circle on a yellow background";
    page.add("<section id=\"fromPicture\"><h2>From a picture</h2>")
        .add("<p>The first picture, redrawn as “%s” by more and more.</p>", prompt)
        .add("<div class=\"hits wrap\">");
    figure(page, save(start, "from"), "the start");
    for (double strength : new double[] {0.05, 0.3, 0.5, 0.7, 0.9}) {
      GenerateRequest redrawn =
          request(prompt).steps(SHOWN_STEPS).from(start.image()).strength(strength);
      figure(
          page,
          save(redrawn.run().get(0), "strength-" + strength),
          strength == 0.05 ? "0.05: hardly more than encoded and decoded" : "strength " + strength);
    }
    page.add("</div>")
        .code(
            """
            sd.generate("%s").from(start).strength(0.5).run();
            """
                .formatted(prompt))
        .add("</section>");
  }
}
