namespace Mesh.Core.Endpoints;

/// <summary>One model name that at least one endpoint lists. Names are compared by reference once a request's has been looked up.</summary>
internal sealed class ModelName(string name)
{
    public string Name { get; } = name;

    /// <summary>Endpoints that list it.</summary>
    public int Listings { get; set; }
}
