package dev.lmm.core.decode;

import dev.lmm.Check;
import dev.lmm.core.decode.GenerationOptions.EarlyStopping;
import dev.lmm.core.engine.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Beam search with the scores, the order of events and the stopping rules of transformers. All
 * beams are one batch; their caches share the prompt's entries, so that only those of the answer
 * move when beams change places.
 */
final class BeamSearch {
  /** What the reference adds to a score that must not win. */
  private static final float NEVER = -1e9f;

  /** A sequence, its processed score, and what it is made of. */
  private record Beam(
      float score, List<TokenChoice> tokens, Processors processors, int parent, boolean finished) {
    Beam with(float score, boolean finished) {
      return new Beam(score, tokens, processors, parent, finished);
    }
  }

  private final Decoder decoder;
  private final StepModel model;
  private final Prompt prompt;
  private final GenerationOptions options;
  private final int beams;
  private final int limit;

  BeamSearch(Decoder decoder, Prompt prompt, GenerationOptions options) {
    Check.that(!options.sample(), "sample: is true; a beam search does not draw");
    Check.that(
        options.best() <= options.beams(),
        "best: is " + options.best() + "; expected at most the beams, " + options.beams());
    Check.that(options.stop().isEmpty(), "stop: a beam search takes no stop strings");
    this.decoder = decoder;
    this.model = decoder.model();
    this.prompt = prompt;
    this.options = options;
    this.beams = options.beams();
    this.limit = decoder.limit(prompt, options);
  }

  List<Generation> run() {
    int capacity = prompt.length() + limit;
    int[] all = new int[beams];
    float[] first;
    try (KvCache cache = model.newBeams(beams, capacity)) {
      try (KvCache single = model.newCache(1, prompt.length())) {
        first = Steps.prefill(model, single, prompt, 0, options, to -> {});
        int[] rows = new int[beams];
        Arrays.setAll(rows, i -> i);
        cache.copyRows(single, all, rows, 0, prompt.length());
      }
      return search(cache, first);
    }
  }

  private List<Generation> search(KvCache cache, float[] first) {
    Processors fresh = new Processors(options, prompt, decoder.endIds(), limit);
    // All beams begin alike: only the first may give candidates, or all would stay alike.
    List<Beam> running = new ArrayList<>();
    List<Beam> done = new ArrayList<>();
    for (int i = 0; i < beams; i++) {
      running.add(new Beam(i == 0 ? 0 : NEVER, List.of(), fresh.fork(), i, false));
      done.add(new Beam(NEVER, List.of(), fresh, i, false));
    }
    float[][] logits = new float[beams][];
    for (int i = 0; i < beams; i++) {
      logits[i] = first.clone();
    }
    boolean improvable = true;
    for (int length = 1; ; length++) {
      List<Beam> candidates = candidates(running, logits, length);
      boolean allHit = candidates.stream().allMatch(Beam::finished);
      done = finished(done, candidates, length, improvable);
      running = continuing(candidates);
      improvable = improvable && canImprove(running, done, length);
      boolean full = done.stream().allMatch(Beam::finished);
      if (!improvable || allHit || (full && options.earlyStopping() == EarlyStopping.TRUE)) {
        break;
      }
      step(cache, running, length, logits);
    }
    List<Generation> results = new ArrayList<>();
    for (Beam beam : done.subList(0, options.best())) {
      results.add(generation(beam));
    }
    return List.copyOf(results);
  }

  /** The best continuations of all beams, in falling order, those that end marked finished. */
  private List<Beam> candidates(List<Beam> running, float[][] logits, int length) {
    int width = model.vocabularySize();
    int keep = Math.max(2, 1 + decoder.endIds().length) * beams;
    float[] sums = new float[beams * width];
    double[] normalisers = new double[beams];
    float[][] own = new float[beams][];
    for (int i = 0; i < beams; i++) {
      normalisers[i] = Logits.logSumExp(logits[i]);
      own[i] = logits[i].clone();
      Logits.logSoftmax(logits[i]);
      running.get(i).processors().process(logits[i]);
      for (int id = 0; id < width; id++) {
        sums[i * width + id] = logits[i][id] + running.get(i).score();
      }
    }
    List<Beam> candidates = new ArrayList<>();
    for (int index : Logits.topIndices(sums, keep)) {
      int parent = index / width;
      int id = index % width;
      Beam from = running.get(parent);
      List<TokenChoice> tokens = new ArrayList<>(from.tokens());
      tokens.add(new TokenChoice(id, (float) (own[parent][id] - normalisers[parent])));
      Processors processors = from.processors().fork();
      boolean end = processors.isEnd(id);
      if (sums[index] > NEVER) {
        processors.accept(id);
      }
      boolean hit = end || length == limit || processors.finished();
      candidates.add(new Beam(sums[index], tokens, processors, parent, hit));
    }
    return candidates;
  }

  private List<Beam> continuing(List<Beam> candidates) {
    List<Beam> ranked = new ArrayList<>();
    for (Beam beam : candidates) {
      ranked.add(beam.finished() ? beam.with(beam.score() + NEVER, true) : beam);
    }
    return best(ranked);
  }

  private List<Beam> finished(
      List<Beam> done, List<Beam> candidates, int length, boolean improvable) {
    boolean full =
        options.earlyStopping() == EarlyStopping.TRUE && done.stream().allMatch(Beam::finished);
    float divisor = (float) Math.pow(length, options.lengthPenalty());
    List<Beam> merged = new ArrayList<>(done);
    for (int i = 0; i < candidates.size(); i++) {
      Beam beam = candidates.get(i);
      boolean counts = beam.finished() && i < beams;
      float score = beam.score() / divisor;
      score += full ? NEVER : 0;
      score += improvable ? 0 : NEVER;
      score += counts ? 0 : NEVER;
      merged.add(beam.with(score, counts));
    }
    return best(merged);
  }

  private List<Beam> best(List<Beam> ranked) {
    float[] scores = new float[ranked.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = ranked.get(i).score();
    }
    List<Beam> best = new ArrayList<>();
    for (int index : Logits.topIndices(scores, beams)) {
      best.add(ranked.get(index));
    }
    return best;
  }

  /** Whether the best running beam may still beat the worst finished one. */
  private boolean canImprove(List<Beam> running, List<Beam> done, int length) {
    float penalty = options.lengthPenalty();
    int hypothetical =
        options.earlyStopping() == EarlyStopping.NEVER && penalty > 0 ? limit : length;
    float possible = running.get(0).score() / (float) Math.pow(hypothetical, penalty);
    float worst = Float.POSITIVE_INFINITY;
    for (Beam beam : done) {
      worst = Math.min(worst, beam.score());
    }
    for (Beam beam : done) {
      if (possible > (beam.finished() ? worst : NEVER)) {
        return true;
      }
    }
    return false;
  }

  private void step(KvCache cache, List<Beam> running, int length, float[][] logits) {
    int[] parents = new int[beams];
    int[] rows = new int[beams];
    int[] past = new int[beams];
    int[] ids = new int[beams];
    int[] positions = new int[beams];
    for (int i = 0; i < beams; i++) {
      Beam beam = running.get(i);
      parents[i] = beam.parent();
      rows[i] = i;
      past[i] = prompt.length() + length - 1;
      ids[i] = beam.tokens().get(length - 1).id();
      positions[i] = prompt.nextPosition() + length - 1;
    }
    cache.copyRows(cache, parents, rows, prompt.length(), past[0]);
    Tensor result =
        Steps.next(model, cache, past, ids, positions, prompt.axes(), options.cancellation());
    for (int i = 0; i < beams; i++) {
      logits[i] = Steps.row(model, result, beams, i);
    }
  }

  private Generation generation(Beam beam) {
    AnswerText text = new AnswerText(decoder.tokenizer(), List.of());
    @Nullable FinishReason reason = null;
    for (TokenChoice token : beam.tokens()) {
      if (beam.processors().isEnd(token.id())) {
        reason = FinishReason.END;
      } else {
        text.accept(token.id());
      }
    }
    text.finish();
    if (reason == null) {
      reason = beam.processors().finished() ? FinishReason.GRAMMAR : FinishReason.LENGTH;
    }
    return new Generation(
        text.shown(),
        beam.tokens(),
        beam.tokens().stream().map(token -> List.<TokenChoice>of()).toList(),
        reason,
        prompt.length(),
        0,
        beam.score());
  }
}
