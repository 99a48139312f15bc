package dev.lmm.core.decode;

import dev.lmm.Cancellation;
import dev.lmm.Check;
import dev.lmm.core.engine.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Several answers at once: one row each; rows of finished answers are closed up. */
final class Batch {
  private record Job(
      int index, Prompt prompt, GenerationOptions options, int limit, Answer answer) {}

  private final Decoder decoder;
  private final StepModel model;
  private final List<Prompt> prompts;
  private final List<GenerationOptions> options;
  private final int rows;
  private final @Nullable Cancellation cancellation;
  private final Generation[] results;

  Batch(
      Decoder decoder,
      List<Prompt> prompts,
      List<GenerationOptions> options,
      int rows,
      @Nullable Cancellation cancellation) {
    this.decoder = decoder;
    this.model = decoder.model();
    this.prompts = List.copyOf(prompts);
    this.options = options.stream().map(each -> each.cancellation(cancellation)).toList();
    this.rows = rows;
    this.cancellation = cancellation;
    this.results = new Generation[prompts.size()];
  }

  List<Generation> run() {
    List<Job> jobs = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      Prompt prompt = prompts.get(i);
      Check.that(
          prompt.axes() == prompts.get(0).axes(),
          "prompts: "
              + i
              + " has "
              + prompt.axes()
              + " axes of positions, the first "
              + prompts.get(0).axes());
      GenerationOptions own = options.get(i);
      int limit = decoder.limit(prompt, own);
      jobs.add(new Job(i, prompt, own, limit, decoder.answer(prompt, own, limit, own.seed())));
    }
    for (int i = 0; i < jobs.size(); i += rows) {
      group(jobs.subList(i, Math.min(jobs.size(), i + rows)));
    }
    return List.of(results);
  }

  private void group(List<Job> group) {
    int capacity = 1;
    for (Job job : group) {
      capacity = Math.max(capacity, job.prompt().length() + job.limit());
    }
    KvCache cache = model.newCache(group.size(), capacity);
    try {
      try (KvCache single = model.newCache(1, capacity)) {
        for (int row = 0; row < group.size(); row++) {
          Job job = group.get(row);
          float[] logits = Steps.prefill(model, single, job.prompt(), 0, job.options(), to -> {});
          job.answer().take(logits);
          cache.copyRows(single, new int[] {0}, new int[] {row}, 0, job.prompt().length());
        }
      }
      List<Job> open = new ArrayList<>(group);
      while (true) {
        List<Job> left = new ArrayList<>(open);
        left.removeIf(job -> settle(job));
        if (left.isEmpty()) {
          return;
        }
        if (2 * left.size() <= open.size()) {
          cache = closedUp(cache, open, left, capacity);
          open = left;
        }
        step(cache, open);
      }
    } finally {
      cache.close();
    }
  }

  private boolean settle(Job job) {
    FinishReason reason = job.answer().finish();
    if (reason == null) {
      return false;
    }
    results[job.index()] = job.answer().result(reason, job.prompt().length(), 0);
    return true;
  }

  private KvCache closedUp(KvCache cache, List<Job> open, List<Job> left, int capacity) {
    int[] from = left.stream().mapToInt(open::indexOf).toArray();
    int[] to = new int[from.length];
    int kept = 0;
    for (int i = 0; i < to.length; i++) {
      to[i] = i;
      kept = Math.max(kept, past(left.get(i)));
    }
    KvCache smaller = model.newCache(left.size(), capacity);
    try {
      smaller.copyRows(cache, from, to, 0, kept);
    } catch (RuntimeException | Error e) {
      smaller.close();
      throw e;
    }
    cache.close();
    return smaller;
  }

  private static int past(Job job) {
    return job.prompt().length() + job.answer().written() - 1;
  }

  private void step(KvCache cache, List<Job> open) {
    int[] past = new int[open.size()];
    int[] ids = new int[open.size()];
    int[] positions = new int[open.size()];
    for (int row = 0; row < past.length; row++) {
      Job job = open.get(row);
      // A finished row goes along at entry 0 of its own, which nobody reads any more.
      if (job.answer().finish() == null) {
        past[row] = past(job);
        ids[row] = job.answer().last();
        positions[row] = job.prompt().nextPosition() + job.answer().written() - 1;
      }
    }
    Tensor logits =
        Steps.next(model, cache, past, ids, positions, open.get(0).prompt().axes(), cancellation);
    for (int row = 0; row < past.length; row++) {
      if (open.get(row).answer().finish() == null) {
        open.get(row).answer().take(Steps.row(model, logits, past.length, row));
      }
    }
  }
}
