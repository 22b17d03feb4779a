namespace Mesh.Core.PrefixCache.Crowds;

/// <summary>Who holds how much of one prompt, for those who look at few of many endpoints. Valid until what is known changes. Not thread-safe.</summary>
internal interface IPromptHolders
{
    /// <summary>Endpoints that hold more than what many hold, where those are few.</summary>
    ReadOnlySpan<int> Listed { get; }

    /// <summary>True for one of those.</summary>
    bool IsListed(int endpoint);

    /// <summary>Blocks that an endpoint which is listed holds.</summary>
    int OfListed(int endpoint);

    /// <summary>Blocks that an endpoint holds.</summary>
    int Of(int endpoint);

    /// <summary>Blocks that an endpoint which is not listed holds.</summary>
    int OfCrowds(int endpoint);

    /// <summary>What none of these endpoints, those that are listed aside, holds more blocks than.</summary>
    /// <param name="first">First of them, a multiple of their number.</param>
    /// <param name="count">How many, a power of two.</param>
    int MostOfCrowds(int first, int count);
}
