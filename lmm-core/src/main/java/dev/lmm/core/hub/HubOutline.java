package dev.lmm.core.hub;

import dev.lmm.core.graph.WeightSource;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What says how large a model of a hub is.
 *
 * @param folder with its configs
 * @param headers names and shapes of the tensors by folder; any tensor where a file's format has no
 *     header; null if the folder has the weights themselves
 */
public record HubOutline(Path folder, @Nullable Map<Path, WeightSource> headers) {}
