namespace Mesh.Core.StepTimes;

/// <summary>Measured on one NVIDIA H100 80GB HBM3, torch 2.11.0+cu130, a model of Llama 3.1 8B's shape with random bf16 weights.</summary>
public static class H100Llama8B
{
    /// <summary>The measured table.</summary>
    public static StepTimeTable Table { get; } = new(
        "NVIDIA H100 80GB HBM3, llama-3.1-8b",
        prefillTokens: [16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384],
        prefillMs: [8.426, 8.793, 8.039, 9.136, 13.66, 26.777, 52.259, 108.269, 232.329, 508.942],
        batches: [1, 2, 4, 8, 16, 32, 64, 128, 256],
        contexts: [128, 512, 2048, 8192],
        decodeMs:
        [
            6.57, 6.698, 6.742, 6.819, 6.874, 7.052, 7.395, 8.26, 10.309,
            6.739, 6.847, 6.911, 6.965, 7.16, 7.618, 8.448, 10.426, 14.53,
            7.291, 7.41, 7.433, 7.503, 8.231, 9.727, 12.653, 18.8, 30.921,
            9.511, 9.592, 9.588, 9.789, 12.398, 18.026, 29.591, 53.146, 97.103,
        ]);
}
