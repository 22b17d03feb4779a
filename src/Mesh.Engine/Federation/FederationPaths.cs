namespace Mesh.Engine.Federation;

/// <summary>What a federation listener answers besides forwarded requests.</summary>
public static class FederationPaths
{
    /// <summary>Stream of reports.</summary>
    public const string Reports = "/federation/v1/reports";

    /// <summary>The configuration in force.</summary>
    public const string Config = "/federation/v1/config";

    /// <summary>Bytes of an event besides its data: <c>data: </c> and an empty line.</summary>
    internal const int EventOverheadBytes = 8;
}
