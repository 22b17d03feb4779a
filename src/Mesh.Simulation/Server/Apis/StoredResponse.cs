namespace Mesh.Simulation.Server.Apis;

/// <summary>A response that is kept: what was asked, and what the engine has brought forth so far.</summary>
internal sealed class StoredResponse(GenerationCall call, Generation generation, ResponsesWriter writer)
{
    private volatile bool _cancelled;

    public Generation Generation => generation;

    public ResponsesWriter Writer => writer;

    /// <summary>Prompt and answer, for a request that goes on from here.</summary>
    public int[] Tokens() => [.. call.Prompts[0].Tokens, .. generation.Answers[0].Tokens.AsSpan(0, generation.Answers[0].Ready)];

    public void Cancel() => _cancelled = true;

    public string Status
    {
        get
        {
            if (_cancelled) return "cancelled";
            return generation.Finished ? ResponsesWriter.EndStatus(call, generation) : "in_progress";
        }
    }
}
