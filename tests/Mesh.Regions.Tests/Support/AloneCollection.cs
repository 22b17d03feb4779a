namespace Mesh.Regions.Tests.Support;

/// <summary>Tests over whole processes: one after the other, with the machine to themselves.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}
