namespace Mesh.Core.PrefixCache.Exact;

/// <summary>How the mapping from prompts to endpoints' blocks has gone, in requests since the start.</summary>
/// <param name="Learned">Matched with the blocks that they left behind.</param>
/// <param name="Ambiguous">Left out: several ends of prompts could have been theirs.</param>
/// <param name="Unmatched">Left out: no end of a prompt could have been theirs.</param>
/// <param name="Corrected">Showed that a place was mapped too deep, which was put right.</param>
/// <param name="Contradicted">Contradicted what was mapped; that is forgotten when it happens twice.</param>
/// <param name="CachedTokens">Of the requests that told them: prompt tokens that the endpoint found in its cache.</param>
/// <param name="AbsoluteErrorTokens">Sum of |predicted − found| over these requests.</param>
public readonly record struct LearningCounts(
    long Learned, long Ambiguous, long Unmatched, long Corrected, long Contradicted, long CachedTokens, long AbsoluteErrorTokens);
