/**
 * What callers of lmm see: the model roles, their requests and results, and the SPI behind them.
 */
module dev.lmm.api {
  requires static transitive org.jspecify;
  // For pictures from AWT; whoever hands one over has it.
  requires static transitive java.desktop;
  requires org.slf4j;

  exports dev.lmm;
  exports dev.lmm.spi;

  uses dev.lmm.spi.ImageDecoder;
  uses dev.lmm.spi.ImageDrawer;
  uses dev.lmm.spi.ModelLoader;
  uses dev.lmm.spi.VideoDecoder;
  uses dev.lmm.spi.VideoEncoder;
}
