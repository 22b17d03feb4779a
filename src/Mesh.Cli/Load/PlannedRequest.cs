namespace Mesh.Cli.Load;

/// <summary>One request as it was fixed beforehand.</summary>
/// <param name="Number">From 0.</param>
/// <param name="AtMs">Arrival in milliseconds since the beginning of the run; never falls.</param>
/// <param name="PromptTokens">Words of the prompt.</param>
/// <param name="OutputTokens">Tokens asked for.</param>
internal readonly record struct PlannedRequest(long Number, double AtMs, int PromptTokens, int OutputTokens)
{
    /// <summary>Ids of the prompt's blocks of 512 words, each naming its block and all before it. Valid until the next request is planned.</summary>
    public ReadOnlyMemory<long> Blocks { get; init; }

    /// <summary>Words of a text that other requests begin with too; 0 without.</summary>
    public int PrefixTokens { get; init; }

    /// <summary>Which text.</summary>
    public int Prefix { get; init; }
}
