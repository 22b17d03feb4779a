namespace Mesh.Core.HttpRouting;

/// <summary>What a route table reads of a request. Implement it as a struct, so that a look-up allocates nothing.</summary>
public interface IRequestHead
{
    /// <summary>Method, in upper case as HTTP has it.</summary>
    string Method { get; }

    /// <summary>Host of the request, with or without a port; empty when the request names none.</summary>
    string Host { get; }

    /// <summary>Decoded path, starting with a slash.</summary>
    string Path { get; }

    /// <summary>
    /// Value of a header by its case-insensitive name, several values joined by commas; null when absent. The pseudo header
    /// <see cref="PseudoHeaders.ModelName"/> carries the model that the body names, never what the client sent under that name.
    /// </summary>
    string? GetHeader(string name);

    /// <summary>First value of a query parameter by its case-sensitive name; null when absent.</summary>
    string? GetQuery(string name);
}

/// <summary>Headers that exist for matching only and are made from the body.</summary>
public static class PseudoHeaders
{
    /// <summary>The model named by the body.</summary>
    public const string ModelName = "X-Gateway-Model-Name";
}
