namespace Mesh.Core.Leases;

/// <summary>What one request weighs at its endpoint while its lease lasts.</summary>
/// <param name="PromptTokens">Estimated prompt length, at least 0.</param>
/// <param name="OutputTokens">Expected output length, at least 0.</param>
internal readonly record struct LeaseLoad(int PromptTokens, int OutputTokens)
{
    public long Tokens => (long)PromptTokens + OutputTokens;
}
